"""Primordial soups of self-modifying programs, byte for byte as cubff runs them.

>>> import broth
>>> soup = broth.Soup(num=1024, seed=7)
>>> tally = soup.step(16)
>>> soup.epoch, tally.interactions
(16, 8192)
>>> soup.programs.shape, soup.programs.dtype
((1024, 64), dtype('uint8'))

Arguments have the names of the command line's flags, with underscores, and the same defaults.
What is wrong with an argument raises :class:`ValueError`; a file that cannot be read or written,
:class:`OSError`.
"""

from ._broth import Group, Measures, Tally, __version__, languages, parse, score, text
from ._exec import Execution, exec
from ._runs import Run, open, resume, run
from ._soup import Soup, State
from ._sweeps import Sweep, sweep

__all__ = [
    "Execution",
    "Group",
    "Measures",
    "Run",
    "Soup",
    "State",
    "Sweep",
    "Tally",
    "__version__",
    "exec",
    "languages",
    "open",
    "parse",
    "resume",
    "run",
    "score",
    "sweep",
    "text",
]
