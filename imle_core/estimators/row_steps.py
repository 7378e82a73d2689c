"""Steps lambda of targets, a number for all rows or one for each, in products and divisions with samples."""

import torch
from torch import Tensor


def divided(difference: Tensor, step: Tensor | float) -> Tensor:
    """Differences ``(B, S, *event)`` over lambda, a number or ``(B*S,)``; 0 where lambda is 0."""
    steps = for_rows(step, difference)
    return torch.where(steps > 0, difference / steps, 0.0).to(difference)


def for_rows(step: Tensor | float, like: Tensor) -> Tensor:
    """lambda, a number or ``(B*S,)``, for multiplication with ``like``, ``(B, S, *event)``; float32 or wider."""
    wide = torch.promote_types(like.dtype, torch.float32)  # float16 holds nothing above 65504
    rows = torch.as_tensor(step, dtype=wide, device=like.device).expand(like.shape[0] * like.shape[1])
    return rows.reshape(*like.shape[:2], *[1] * (like.dim() - 2))
