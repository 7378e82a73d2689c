"""Sections of a command's help, in their order."""

INPUT = "Input"
LEARNING = "Learning"
MEASUREMENT = "Measurement"
PROBLEM = "Problem"
NOISE = "Noise"
OUTPUT = "Output"
GENERAL = "General"

PANELS = (INPUT, MEASUREMENT, LEARNING, PROBLEM, NOISE, OUTPUT, GENERAL)

# Parameters that stand first in their sections, since they are wanted most; the others follow as they are declared.
COMMON = (
    *("out", "save", "samples", "input_temp", "target_temp", "problem", "size", "estimator", "estimators"),
    *("lambdas", "temps", "solver", "steps", "epochs", "lr", "beta", "seed"),
)
RARE = ("json", "quiet", "device", "debug", "help")  # these stand last
