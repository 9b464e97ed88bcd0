"""The demo practice: people and two years of their life, for looking around and for trying out.

A plugin brings its part by `register_demo`: the part plans what happens when (`Demo.at`), and the
core then has it happen, through the same services that serve requests. The same seed and the same
end give the same people, texts, times and order; ids are new each time.
"""

from .life import Demo, DemoSize
from .people import DemoPerson

__all__ = ["Demo", "DemoPerson", "DemoSize"]
