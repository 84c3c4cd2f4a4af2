"""A server of downloads that is in another mood at each request."""

import os
import random
import time

import misbehaving
import numpy as np

CONTENTS = [np.random.default_rng(i).bytes(200_000) for i in (0, 1)]  # a file, before and after
PIECE = 10_000  # bytes that are sent at once


class Moody(misbehaving.Handler):
    """Sends one file or the other, with or without their length, all or a part of it, slowly."""

    def do_GET(self):
        server = self.server
        server.files["/sign.png"] = random.choice(CONTENTS)
        server.tag = random.choice(['"{}"', '"{}"', '"{}"', 'W/"{}"', ""])
        server.resumes, server.tells_length = random.random() < 0.8, random.random() < 0.8
        server.honours_if_range = random.random() < 0.8
        server.claims = 10**18 if random.random() < 0.1 else None
        # Never in place of what it holds back: of bytes that are wrong, only a hash could tell.
        server.floods = 0 if server.tells_length or random.random() < 0.5 else 20
        server.breaks_after = random.choice([None, random.randrange(1, len(CONTENTS[0]))])
        server.piece, server.drips = PIECE, random.random() / 100
        super().do_GET()


def serve():
    """The address of such a server, in a process that ends with this one."""
    reading, writing = os.pipe()
    parent = os.getpid()
    if not os.fork():
        with misbehaving.serving({}, Moody) as server:
            os.write(writing, server.address.encode())
            while os.getppid() == parent:
                time.sleep(0.5)
        os._exit(0)
    return os.read(reading, 99).decode()
