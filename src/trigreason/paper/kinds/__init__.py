"""How an item's numbers are computed from its runs, by the item's kind."""

from collections.abc import Callable

from trigreason.paper.item import Kind
from trigreason.paper.kinds.accuracy import accuracy
from trigreason.paper.kinds.activation import shares
from trigreason.paper.kinds.cases import cases
from trigreason.paper.kinds.certain_steps import certain_steps
from trigreason.paper.kinds.costs import deployment
from trigreason.paper.kinds.hesitation import candidates
from trigreason.paper.kinds.judges import judges
from trigreason.paper.kinds.overconfidence import overconfidence
from trigreason.paper.kinds.overview import overview
from trigreason.paper.kinds.rejections import rejections
from trigreason.paper.work import Numbers, Work

STUDIES: dict[Kind, Callable[[Work], Numbers]] = {
    "overview": overview,
    "cases": cases,
    "certain steps": certain_steps,
    "plane": accuracy,
    "methods": accuracy,
    "sweep": accuracy,
    "activation": shares,
    "deployment": deployment,
    "judges": judges,
    "rejections": rejections,
    "overconfidence": overconfidence,
    "hesitation": candidates,
}
