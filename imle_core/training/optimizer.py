"""torch's Adam without the compiler that comes with it."""

from inspect import unwrap
from typing import Any

import torch
from torch.optim import optimizer as torchs

_moved = unwrap(torch.optim.Adam.step)
_zeroed = unwrap(torch.optim.Adam.zero_grad)


class Adam(torch.optim.Adam):
    """``torch.optim.Adam``, to the bit, that does not import ``torch._dynamo``, which takes as long as torch itself.

    torch wraps methods of optimisers to hide them from its compiler, which it imports with the first call of one. The
    methods here are those inside of the wrappers, so that a function for ``torch.compile`` has to leave this optimiser out.
    They note nothing for torch's profiler, which takes a small step as long as the step itself does.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015 (arXiv 1412.6980), algorithm 1.
    """

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    state_dict = unwrap(torch.optim.Adam.state_dict)
    load_state_dict = unwrap(torch.optim.Adam.load_state_dict)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Takes the gradients away, or sets them to 0, as torch's does."""
        if not set_to_none:
            _zeroed(self, set_to_none)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def step(self, closure: Any = None) -> Any:
        """Moves the parameters by their gradients, and gives the closure's loss, as torch's does."""
        return (_moved_with_hooks if _has_hooks(self) else _moved_without_gradients)(self, closure)

    step.hooked = True  # type: ignore[attr-defined]  # else torch would wrap it


@torch.no_grad()
def _moved_without_gradients(optimizer: Adam, closure: Any) -> Any:
    return _moved(optimizer, closure)


_moved_with_hooks = torch.optim.Optimizer.profile_hook_step(_moved_without_gradients)


def _has_hooks(optimizer: Adam) -> bool:
    """True where somebody has registered a function to be called with each step."""
    of_all = torchs._global_optimizer_pre_hooks or torchs._global_optimizer_post_hooks
    return bool(of_all or optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks)
