"""Every public object says what it is in a line or a few: without an address, and without its tensors' entries."""

import importlib
import inspect
import re

import pytest
import torch

import imle
from imle import contracts, decisions, doctor, draw, estimators, exact, lab, noise, perception, sampling, solvers, training

MODULES = (contracts, decisions, doctor, draw, estimators, exact, lab, noise, perception, sampling, solvers, training)
THETA = torch.zeros(1, 4)
EDGES = [("a", "b"), ("b", "c"), ("a", "c")]


def layer(name, **settings):
    law = noise.NormalNoiseDistribution()
    return estimators.differentiable(name, solvers.TopK(2), None, law, 3, 0.5, generator=torch.Generator(), **settings)


def positive(theta):
    """A solver of the user's own."""
    return (theta > 0).to(theta)


def maps():
    return perception.terrain_maps(3, 4, seed=0)


def learning():
    network = perception.make_network("small", seed=0)
    return perception.PerceptionTraining(network, perception.make_method("imle"), maps(), epochs=2, batch=1)


def choices():
    return decisions.Decisions(THETA.T, torch.rand(4, 3), solvers.TopK(1), sense="min")


def deciding():
    network = decisions.make_cost_network("linear", choices(), seed=0)
    return decisions.DecisionTraining(network, decisions.make_method("spo-plus", choices()), choices())


def fitted():
    return decisions.FittedCosts(THETA.T, (3,))


def problem():
    return lab.make_problem("top-k")


def weights():
    return imle.train(solvers.TopK(1), torch.tensor([0.0, 1.0]), steps=2, nb_samples=1, seed=0)


SAID = {
    draw.Picture: lambda: (draw.solution(THETA[0]), "inches)"),
    draw.Film: lambda: (draw.film([]), "Film('learning', 8 frames a second)"),
    contracts.Form: lambda: (
        contracts.Form.of({"nodes": torch.zeros(1, 4), "edges": (torch.zeros(1, 2, 3),)}),
        "Form(['nodes']: (4,), ['edges'][0]: (2, 3))",
    ),
    imle.Differentiable: lambda: (
        imle.imle(positive, imle.TargetDistribution(lambda_=5.0), nb_samples=2, reduction="mean"),
        "imle(positive, TargetDistribution(alpha=1, lambda_=5), nb_samples=2, reduction='mean')",
    ),
    imle.IMLE: lambda: (
        imle.IMLE(solvers.TopK(3), None, noise.SumOfGammaNoiseDistribution(3.0), 10, target_noise_temperature=2.0),
        "IMLE(TopK(k=3), TargetDistribution(alpha=1, lambda_=1), SumOfGammaNoiseDistribution(k=3, nb_iterations=10), "
        "nb_samples=10, target_noise_temperature=2.0)",
    ),
    imle.ImplicitMLE: lambda: (
        layer("central-imle"),
        "ImplicitMLE(TopK(k=2), TargetDistribution(alpha=1, lambda_=1), NormalNoiseDistribution(location=0, scale=1), "
        "nb_samples=3, input_noise_temperature=0.5, difference='central')",
    ),
    imle.LayerModule: lambda: (
        imle.LayerModule(estimators.differentiable("straight-through", solvers.ArgMax())),
        "LayerModule(ArgMax(), TargetDistribution(alpha=1, lambda_=1))",
    ),
    estimators.BlackboxInterpolation: lambda: (layer("blackbox"), "BlackboxInterpolation(TopK(k=2), "),
    estimators.FenchelYoung: lambda: (layer("fenchel-young"), "FenchelYoung(TopK(k=2), "),
    estimators.ConeAlignment: lambda: (layer("cone", normals=positive), "ConeAlignment(TopK(k=2), "),
    estimators.Contrastive: lambda: (layer("contrastive", pool=THETA), "pool=tensor of (1, 4)"),
    estimators.ContrastiveMAP: lambda: (layer("contrastive-map", pool=THETA), "pool=tensor of (1, 4)"),
    estimators.RankList: lambda: (layer("rank-list", pool=THETA), "RankList(TopK(k=2), "),
    estimators.RankPair: lambda: (layer("rank-pair", pool=THETA), "RankPair(TopK(k=2), "),
    estimators.RankPoint: lambda: (layer("rank-point", pool=THETA), "RankPoint(TopK(k=2), "),
    estimators.FrankWolfe: lambda: (layer("frank-wolfe"), "FrankWolfe(TopK(k=2), "),
    estimators.Certified: lambda: (
        layer("frank-wolfe").certified(THETA),
        "Certified(z=tensor of (1, 4), gap=tensor of (1,))",
    ),
    estimators.FrankWolfeFenchelYoung: lambda: (layer("frank-wolfe-fenchel-young"), "FrankWolfeFenchelYoung("),
    estimators.PerturbationGradient: lambda: (layer("central-perturbation-gradient"), "difference='central'"),
    estimators.SPOPlus: lambda: (layer("spo-plus"), "SPOPlus(TopK(k=2), "),
    estimators.Identity: lambda: (layer("identity", projection="norm"), "projection='norm'"),
    estimators.PerturbedOptimizer: lambda: (layer("perturbed", baseline="noise-free"), "baseline='noise-free'"),
    estimators.ScoreFunction: lambda: (layer("score-function"), "ScoreFunction(TopK(k=2), "),
    estimators.Simple: lambda: (layer("simple"), "Simple(TopK(k=2), "),
    estimators.StraightThrough: lambda: (layer("straight-through"), "StraightThrough(TopK(k=2), "),
    estimators.StructuredSVM: lambda: (layer("structured-svm", margin=2.0), "StructuredSVM(TopK(k=2), "),
    estimators.Entry: lambda: (estimators.ESTIMATORS["blackbox"], "BlackboxInterpolation"),
    imle.TargetDistribution: lambda: (imle.TargetDistribution(1, 10), "TargetDistribution(alpha=1, lambda_=10)"),
    imle.AdaptiveTargetDistribution: lambda: (
        imle.AdaptiveTargetDistribution(lambda_=0.5),
        "AdaptiveTargetDistribution(alpha=1, beta=0.5, step=0.001, target_rate=1)",
    ),
    imle.KnownTargetDistribution: lambda: (
        imle.KnownTargetDistribution(THETA),
        "KnownTargetDistribution(theta of shape (1, 4))",
    ),
    imle.AntitheticNoiseDistribution: lambda: (
        noise.AntitheticNoiseDistribution(noise.GumbelNoiseDistribution()),
        "AntitheticNoiseDistribution(GumbelNoiseDistribution(",
    ),
    imle.GumbelNoiseDistribution: lambda: (noise.GumbelNoiseDistribution(), "GumbelNoiseDistribution("),
    imle.LogisticNoiseDistribution: lambda: (noise.LogisticNoiseDistribution(), "LogisticNoiseDistribution("),
    imle.NormalNoiseDistribution: lambda: (noise.NormalNoiseDistribution(), "NormalNoiseDistribution("),
    imle.SumOfGammaNoiseDistribution: lambda: (
        noise.SumOfGammaNoiseDistribution(20.8, 100),
        "SumOfGammaNoiseDistribution(k=20.8, nb_iterations=100)",
    ),
    imle.Marginals: lambda: (
        imle.marginals(solvers.TopK(1), THETA, nb_samples=2),
        "Marginals(mean=tensor of (1, 4), standard_error=tensor of (1, 4), nb_samples=2, first_state=tensor of (1, 4))",
    ),
    sampling.DistinctSolutions: lambda: (
        sampling.distinct_solutions(solvers.TopK(1), THETA, nb_samples=2)[0],
        "DistinctSolutions(solutions=tensor of (1, 4), shares=tensor of (1,), standard_errors=tensor of (1,), nb_samples=2, "
        "nb_distinct=1, left_out=0.0)",
    ),
    imle.Step: lambda: (next(weights()), "Step(step=0, loss="),
    imle.Training: lambda: (
        imle.Training(solvers.TopK(1), torch.tensor([0.0, 1.0]), steps=2, nb_samples=1),
        "Training(TopK(k=1), TargetDistribution(alpha=1, lambda_=1); step 0 of 2, 2 weights)",
    ),
    training.Adam: lambda: (training.Adam([THETA.clone().requires_grad_()], lr=0.1), "Adam ("),
    contracts.Known: lambda: (
        contracts.Known(THETA[None], 1.0, THETA[None]),
        "Known(theta=tensor of (1, 1, 4), temperature=1.0, z=tensor of (1, 1, 4))",
    ),
    decisions.Decisions: lambda: (
        choices(),
        "Decisions(4 instances, features of (1,), costs of (3,), TopK(k=1), sense='min')",
    ),
    decisions.Labels: lambda: (
        decisions.Labels(THETA, THETA[:, 0]),
        "Labels(gold=tensor of (1, 4), optimum=tensor of (1,))",
    ),
    decisions.PathData: lambda: (
        decisions.shortest_path_data(3),
        "PathData(features=tensor of (3, 5), costs=tensor of (3, 40))",
    ),
    decisions.KnapsackData: lambda: (decisions.knapsack_data(3), "weights=tensor of (1, 16))"),
    decisions.TourData: lambda: (decisions.tour_data(3), "coordinates=tensor of (10, 2))"),
    decisions.PortfolioData: lambda: (decisions.portfolio_data(3), "covariance=tensor of (50, 50))"),
    doctor.Finding: lambda: (
        doctor.Finding("rows", "fail", "they differ", {"theta": THETA}),
        "Finding(check='rows', verdict='fail', detail='they differ', example={'theta': tensor of (1, 4)})",
    ),
    exact.AcyclicGridPaths: lambda: (exact.AcyclicGridPaths((4, 4)), "AcyclicGridPaths("),
    exact.Categorical: lambda: (exact.Categorical((4,)), "Categorical("),
    exact.Chain: lambda: (exact.Chain(torch.zeros(2, 2), 3), "Chain("),
    exact.Enumeration: lambda: (exact.Enumeration(torch.eye(3)), "Enumeration("),
    exact.Hypercube: lambda: (exact.Hypercube((4,)), "Hypercube("),
    exact.KSubset: lambda: (exact.KSubset(2, (4,)), "KSubset("),
    exact.KnapsackSets: lambda: (exact.KnapsackSets([1, 2], 2), "KnapsackSets("),
    exact.SpanningTrees: lambda: (exact.SpanningTrees(EDGES), "SpanningTrees("),
    exact.SpanningTreesOfGraphs: lambda: (exact.SpanningTreesOfGraphs([EDGES]), "SpanningTreesOfGraphs(graphs=1, "),
    decisions.DecisionMethod: lambda: (
        decisions.METHODS["spo-plus"],
        "DecisionMethod(name='spo-plus', learner='spo-plus', settings={}, pooled=False)",
    ),
    decisions.Protocol: lambda: (decisions.PROTOCOLS["paths"], "Protocol(paths, 20 epochs)"),
    decisions.PublishedRegret: lambda: (
        decisions.PROTOCOLS["knapsack"].published["spo-plus"],
        "PublishedRegret(regret=0.0627, best=0.0599, seconds=None)",
    ),
    decisions.CostNetwork: lambda: (deciding().network, "Linear(in_features=1, out_features=3"),
    decisions.DecisionFit: lambda: (
        decisions.DecisionFit("mean-costs", fitted(), choices()),
        "DecisionFit(Decisions(4 instances, features of (1,), costs of (3,), TopK(k=1), sense='min'); step 0 of 1)",
    ),
    decisions.DecisionTraining: lambda: (deciding(), "DecisionTraining(Decisions(4 instances, "),
    decisions.FittedCosts: lambda: (fitted(), "FittedCosts()"),
    training.EpochRecord: lambda: (training.EpochRecord(1.0, 0.0, 2.0, 1.0, 0.0), "EpochRecord(loss=1.0"),
    training.Regression: lambda: (training.Regression(), "Regression()"),
    training.ThroughSolver: lambda: (
        decisions.make_method("imle", choices()),
        "TargetDistribution(alpha=1, lambda_=1), nb_samples=3, sense='min'), loss='regret', pool=None)",
    ),
    training.WatchedSolver: lambda: (training.WatchedSolver(solvers.TopK(1), training.Clock()), "TopK(k=1)"),
    lab.LabProblem: lambda: (problem(), "LabProblem(name='top-k 10,5', theta=tensor of (1, 10), solver=TopK(k=5), "),
    lab.Instance: lambda: (lab.Instance(problem(), lab.Reference(THETA, 0.0, "exact")), "Reference(gradient=tensor of"),
    lab.Reference: lambda: (
        lab.Reference(THETA, 0.0, "exact"),
        "Reference(gradient=tensor of (1, 4), error=0.0, text='exact')",
    ),
    lab.EstimatorSettings: lambda: (lab.EstimatorSettings(None), "EstimatorSettings(noise=None"),
    lab.Estimate: lambda: (
        lab.Estimate(THETA[0], THETA[0]),
        "Estimate(value=tensor of (4,), standard_error=tensor of (4,))",
    ),
    lab.Calibration: lambda: (
        lab.Calibration(1.0, None, None, lab.Estimate(THETA, THETA), 10),
        "Calibration(temperature=1.0",
    ),
    lab.IntervalEstimate: lambda: (lab.IntervalEstimate(1.5, 0.5), "1.5"),
    lab.Skipped: lambda: (lab.Skipped("imle", "too slow"), "Skipped(estimator='imle', reason='too slow')"),
    perception.Clock: lambda: (perception.Clock(), "Clock(solver=0 s, noise=0 s, 0 solves)"),
    perception.ColourLookup: lambda: (perception.ColourLookup(), "ColourLookup()"),
    perception.ColourTraining: lambda: (
        perception.ColourTraining(perception.ColourLookup(), maps()),
        "ColourTraining(ImageMaps(images=tensor of (3, 32, 32, 3), costs=tensor of (3, 4, 4), ",
    ),
    perception.ImageMaps: lambda: (maps(), "ImageMaps(images=tensor of (3, 32, 32, 3), "),
    perception.PerceptionTraining: lambda: (learning(), "PerceptionTraining(ImageMaps("),
    perception.PerceptionStep: lambda: (perception.PerceptionStep(0, 0, 1.0, 0.0, True), "NetworkStep(step=0"),
    perception.Judgement: lambda: (perception.Judgement(1.0, 0.0, None, 0.0), "Judgement(optimal=1.0"),
    perception.Plans: lambda: (perception.plan(perception.ColourLookup(), maps()), "Plans(costs=tensor of (3, 4, 4), "),
    solvers.AcyclicGridPath: lambda: (solvers.AcyclicGridPath(), "AcyclicGridPath(diagonal=True)"),
    solvers.SolutionPool: lambda: (
        solvers.SolutionPool(solvers.TopK(2), THETA),
        "SolutionPool(TopK(k=2), 1 member, share=0.05)",
    ),
    solvers.Tour: lambda: (solvers.Tour(4), "Tour(nodes=4)"),
    solvers.GridEdgePath: lambda: (solvers.GridEdgePath((2, 3)), "GridEdgePath((2, 3))"),
    solvers.ArgMax: lambda: (solvers.ArgMax(), "ArgMax()"),
    solvers.Assignment: lambda: (solvers.Assignment(), "Assignment(partial=False)"),
    solvers.BlackBox: lambda: (solvers.BlackBox(positive), "BlackBox(positive, executor='serial')"),
    solvers.GridPath: lambda: (solvers.GridPath(), "GridPath(moves=8, start=None, goal=None, engine='compiled')"),
    solvers.IntegerProgram: lambda: (solvers.IntegerProgram(A=[[1.0, 1.0]], b=[1.0]), "IntegerProgram("),
    solvers.Knapsack: lambda: (solvers.Knapsack([1, 2], 2), "Knapsack(2 items, capacity=2)"),
    solvers.Matching: lambda: (solvers.Matching(EDGES), "Matching(nodes=3, edges=3, perfect=False)"),
    solvers.MinCut: lambda: (solvers.MinCut(EDGES, "a", "c"), "MinCut(nodes=3, edges=3, s='a', t='c')"),
    solvers.Ranking: lambda: (solvers.Ranking(), "Ranking()"),
    solvers.ShortestPath: lambda: (
        solvers.ShortestPath(EDGES, "a", "c"),
        "ShortestPath(nodes=3, edges=3, start='a', goal='c'",
    ),
    solvers.SpanningTree: lambda: (solvers.SpanningTree(EDGES), "SpanningTree(nodes=3, edges=3, forest=False)"),
    solvers.TopK: lambda: (solvers.TopK(2), "TopK(k=2)"),
    solvers.Tuning: lambda: (solvers.Tuning(), "Tuning("),
}
MADE_ELSEWHERE = {lab.Accuracy, lab.Cell}  # of numbers alone, by measurements that take long
MADE_ELSEWHERE |= {
    decisions.DecisionQuality,
    decisions.ReproducedRegret,
    solvers.Portfolio,
}  # of numbers alone; by a library that is not always there


def public_classes():
    for module in MODULES:
        source = module if module is draw else importlib.import_module(module.__name__.replace("imle.", "imle_core."))
        for name in source.__all__:
            value = getattr(module, name)
            is_contract = getattr(value, "_is_protocol", False)
            if inspect.isclass(value) and not is_contract and not inspect.isabstract(value):
                yield value


def test_every_public_class_is_looked_at():
    classes = {kind for kind in public_classes() if not issubclass(kind, BaseException)}
    assert classes - MADE_ELSEWHERE == set(SAID)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAID, ids=lambda kind: kind.__name__)
def test_it_says_what_it_is(kind):
    value, said = SAID[kind]()
    text = repr(value)
    assert type(value) is kind
    assert said in text
    assert not re.search(r" at 0x|tensor\(\[", text)
    assert len(text) < 500


def test_a_user_s_objects_are_named_too():
    class Own:
        def __call__(self, theta):
            return theta

        def sample(self, shape):
            return torch.zeros(shape)

    assert repr(imle.imle(Own(), None, Own())) == "imle(a Own, TargetDistribution(alpha=1, lambda_=1), a Own)"
    assert repr(imle.imle(Own().__call__)).startswith("imle(test_a_user_s_objects_are_named_too.<locals>.Own.__call__, ")
