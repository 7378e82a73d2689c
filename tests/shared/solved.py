"""A data set whose entries are solved where they are loaded; it lies here so that a process that begins anew finds it."""

import torch
from torch.utils.data import Dataset

from draws import generator, normal
from imle_core import GumbelNoiseDistribution, perturb_and_map
from imle_core.solvers import TopK


class Solved(Dataset):
    """Solutions and samples for parameters, large enough for several threads."""

    def __init__(self):
        self.theta, self.solver, self.noise = normal(4, 40, 300, dtype=torch.float32), TopK(5), GumbelNoiseDistribution()

    def __len__(self):
        return len(self.theta)

    def __getitem__(self, index):
        theta = self.theta[index]
        samples = perturb_and_map(self.solver, theta, self.noise, nb_samples=20, generator=generator(index))
        return self.solver(theta), samples.sum(dim=1)
