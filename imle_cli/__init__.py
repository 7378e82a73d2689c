"""The command ``imle``: paths and options in, pictures and reports out; no mathematics.

Packages, from top to bottom. Each imports from groups below its own, never from its own group or from above:

    __main__     ``python -m imle_cli``

    app          assembles the commands; imports nothing heavy

    commands     one file a command: read, call the library, draw, report

    benchmarks   what ``imle bench`` measures, one file a subject
    guide        pages that explain, for a terminal and as a website
    trainings    trainings of weights on a gold path, of networks on features or images, and grids of them
    lab          measurements of estimators and noise, ready to be reported

    pages        self-contained pages of HTML: results and runs to explore, the method explained live

    films        frames become GIF, WebP, APNG or MP4

    problems     an input and options become a solver, parameters, words and pictures
    runs         folders of runs and sweeps, which outlive kills and company

    figures      arrays become pictures
    files        readers and writers of every format
    console      results on standard output, all else on standard error
    device       the device that work is done on

    options      options that commands share, in groups that are data classes

    messages     exit codes, errors of one line, and notes of what the user should know of

Beside them lies ``facade``, the source of the package ``imle``: it imports both packages, and nothing imports it.

The way of a command: ``app`` calls a function of ``commands``, whose options are groups of ``options``; ``problems`` makes a
problem of the input; the library works; ``figures`` and ``films`` draw; the ``Result`` that the function returns is timed
and printed by ``console``.
"""
