"""torch's Adam without the compiler that comes with it."""

from inspect import unwrap
from typing import Any

import torch


class Adam(torch.optim.Adam):
    """``torch.optim.Adam``, to the bit, that does not import ``torch._dynamo``, which takes as long as torch itself.

    torch wraps methods of optimisers to hide them from its compiler, which it imports with the first call of one. The
    methods here are those inside of the wrappers, so that a function for ``torch.compile`` has to leave this optimiser out.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015 (arXiv 1412.6980), algorithm 1.
    """

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    zero_grad = unwrap(torch.optim.Adam.zero_grad)
    state_dict = unwrap(torch.optim.Adam.state_dict)
    load_state_dict = unwrap(torch.optim.Adam.load_state_dict)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Moves the parameters by their gradients, and gives the closure's loss, as torch's does."""
        return unwrap(torch.optim.Adam.step)(self, closure)
