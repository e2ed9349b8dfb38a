pytest_plugins = ["tests.needs", "tests.servers.fixtures"]
