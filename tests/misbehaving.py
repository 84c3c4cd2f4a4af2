"""A web server on loopback that misbehaves in the ways that are asked for."""

import contextlib
import hashlib
import http.server
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the server's `files`; `asked` lists each request's path and range."""

    def do_GET(self):
        wanted, server = self.headers.get("Range"), self.server
        server.asked.append((self.path, wanted))
        path = self.path.removeprefix("http://signs.invalid")  # as a proxy is asked
        if path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/moved"))
            self.end_headers()
            return
        if path not in server.files:
            self.send_error(404)
            return
        if "gzip" in self.headers.get("Accept-Encoding", "gzip"):
            self.send_error(406, "its length and ranges would not be the file's")
            return
        content, start = server.files[path], 0
        tag = server.tag.format(hashlib.md5(content).hexdigest())
        same = not server.honours_if_range or self.headers.get("If-Range") == tag
        if wanted and server.resumes and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if start:
            end = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        if tag:
            self.send_header("Last-Modified" if tag.endswith("GMT") else "ETag", tag)
        if server.tells_length:
            self.send_header("Content-Length", str(server.claims or len(content) - start))
        self.end_headers()
        with contextlib.suppress(OSError):  # whoever asked may have given up
            sent = content[start:][: server.breaks_after]
            piece = server.piece or 300_000
            for i in range(0, len(sent), piece):
                self.wfile.write(sent[i : i + piece])
                time.sleep(server.drips)
            for _ in range(server.floods):
                self.wfile.write(content)

    def log_message(self, *_):
        """Quiet."""


@contextlib.contextmanager
def serving(files, handler=Handler):
    """A server of these files, path -> content, in a thread; its attributes say how it behaves."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.files, server.asked = files, []
    server.resumes, server.tells_length, server.breaks_after = True, True, None
    server.tag, server.honours_if_range, server.claims = '"{}"', True, None
    server.piece = server.drips = server.floods = 0
    server.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
