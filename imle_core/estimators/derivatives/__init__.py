"""Layers as operations of autograd: backward passes, mixed precision, forward mode, and the transforms of ``torch.func``."""
