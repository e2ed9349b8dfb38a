import signal

from hypothesis import settings

pytest_plugins = ["pytester", "tests.needs", "tests.loops", "tests.servers.fixtures"]

# An example that takes its time on a busy machine is no fault of the code.
settings.register_profile("callsheet", deadline=None)
settings.load_profile("callsheet")

# A shell has its background jobs ignore Ctrl-C, and so would every program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
