"""The layer, by the module's name in the paper's PyTorch library."""

from imle_core import imle as imle
