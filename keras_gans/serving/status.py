"""Why a request is not answered, in both protocols' codes."""

# gRPC's name of each code to the HTTP status of it, as TensorFlow Serving's.
HTTP = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 503,
    "DEADLINE_EXCEEDED": 504,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
}
MOST_SHOWN = 80  # letters of what a client sent


class ServingError(Exception):
    """A request that is answered with an error.

    Args:
        code: str, one of `HTTP`.
        message: str, what is wrong, for the client.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def invalid(message: str) -> ServingError:
    """The error of a request that can never be answered."""
    return ServingError("INVALID_ARGUMENT", message)


def shown(value: object) -> str:
    """What a client sent, shortened and without control characters."""
    text = ascii(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
