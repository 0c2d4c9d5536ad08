"""Would the tests notice if the code that moves money were a little wrong?

One small change at a time in the modules of ``targets``, and the tests that must fail of it, each
in a process of its own.
"""
