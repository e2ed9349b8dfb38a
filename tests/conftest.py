from hypothesis import settings

pytest_plugins = ["tests.needs", "tests.servers.fixtures"]

# An example that takes its time on a busy machine is no fault of the code.
settings.register_profile("callsheet", deadline=None)
settings.load_profile("callsheet")
