"""An input file and options become a problem: a solver, parameters, words and pictures."""
