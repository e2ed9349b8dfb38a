"""What the calls of a service share, looked at from outside."""


def kept(scope, name):
    """The one thing that the scope of a service keeps under keys which begin so."""
    return next(thing for key, thing in scope.shared._things if key[0] == name)
