"""Solvers and layers in other processes of torch: workers that load data, and replicas that learn together."""

import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from draws import generator, normal
from imle_core import IMLE, AdaptiveTargetDistribution, NormalNoiseDistribution
from imle_core.solvers import TopK
from solved import Solved


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_that_load_data_solve_as_the_parent_does(start):
    """The parent has used its threads before, which a fork of it does not have."""
    data = Solved()
    expected = [data[index] for index in range(len(data))]
    loader = DataLoader(data, batch_size=None, num_workers=1, multiprocessing_context=start, timeout=120)
    for entries, known in zip(loader, expected, strict=True):
        assert all(torch.equal(*pair) for pair in zip(entries, known, strict=True))


@pytest.fixture
def company(tmp_path):
    """A company of one process."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.usefixtures("company")
def test_replicas_learn_as_a_model_alone():
    def model():
        torch.manual_seed(0)
        target = AdaptiveTargetDistribution(beta=5.0, synchronised=True)
        choose = IMLE(TopK(2), target, NormalNoiseDistribution(), 3, generator=generator(1))
        return torch.nn.Sequential(torch.nn.Linear(5, 7).double(), choose)

    alone, replica = model(), DistributedDataParallel(model())
    for step in range(2):
        for learner in (alone, replica):
            (learner(normal(4, 5, seed=step)) * normal(7, seed=9)).pow(3).sum().backward()
    gradients = [parameter.grad for parameter in alone.parameters()]
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    replicas = [parameter.grad for parameter in replica.module.parameters()]
    assert all(torch.equal(*pair) for pair in zip(gradients, replicas, strict=True))
    assert torch.equal(alone[1].target.beta, replica.module[1].target.beta)
