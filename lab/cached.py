"""What the lab keeps in its cache: what is broken there is said, thrown away and made again."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError, one_line
from lab.progress import tell
from lab.untrusted import Broken


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Removes the file, and says so, where the block finds it broken; none at all is no mistake."""
    try:
        yield
    except FileNotFoundError:
        pass
    except (Broken, LabError, OSError) as error:
        tell(one_line(f"{path}: broken ({error}): it is thrown away and made again"))
        with contextlib.suppress(OSError):
            path.unlink()
