"""Regularised Frank-Wolfe: best means of solutions under a quadratic price, and the loss that belongs to them."""
