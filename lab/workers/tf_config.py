"""The workers that TF_CONFIG names, in the form that TensorFlow gives it."""

import json

from lab.errors import LabError, shown
from lab.workers.shares import Workers

FORM = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'


def from_config(text: str) -> Workers:
    """The workers that the text of TF_CONFIG names.

    Raises:
        LabError: it is not of the form that TensorFlow gives it.
    """
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        chief, others = list(cluster.get("chief", [])), list(cluster.get("worker", []))
        addresses, index = [*chief, *others], task["index"]
        places = [host_and_port(address) for address in addresses]
        for host, _ in places:
            host.encode("idna")  # as `socket` does, at every call
        place = {"chief": 0, "worker": len(chief)}[task["type"]] + index
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError("the index is no whole number")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LabError(f"expected TF_CONFIG as {FORM}; received {shown(text, 80)}") from None
    if not addresses:
        raise LabError("expected the address of a worker in TF_CONFIG; received none: name all")
    if not 0 <= index < len(chief if task["type"] == "chief" else others):
        raise LabError(
            f"expected a task in TF_CONFIG among its {len(addresses)} workers, from 0; received "
            f"{task['type']} {index}: give each worker its own index"
        )
    if len(set(addresses)) < len(addresses) or not all(
        host and 0 < port < 2**16 for host, port in places
    ):
        raise LabError(
            f"expected addresses host:port in TF_CONFIG, all different, ports 1 to 65535; received "
            f"{shown(', '.join(addresses), 80)}"
        )
    return Workers(tuple(addresses), place)


def host_and_port(address: str) -> tuple[str, int]:
    """Host and port of an address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
