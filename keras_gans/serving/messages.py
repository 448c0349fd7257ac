"""What both protocols tell of models, in TensorFlow Serving's messages."""

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from keras_gans.serving.servable import Servable
from keras_gans.serving.versions import Models, Place

UNKNOWN_ERROR = 2  # code of a version that cannot be served


def model_status(
    models: Models, place: Place
) -> get_model_status_pb2.GetModelStatusResponse:
    """The state of each version that a place names, the newest first.

    Raises:
        ServingError: there is none.
    """
    reply = get_model_status_pb2.GetModelStatusResponse()
    for number, version in sorted(models.versions(place).items(), reverse=True):
        told = reply.model_version_status.add(version=number)
        told.state = told.State.Value(version.state)
        told.status.error_code = UNKNOWN_ERROR if version.error else 0
        told.status.error_message = version.error
    return reply


def signature_map(servable: Servable) -> get_model_metadata_pb2.SignatureDefMap:
    """The signatures of a model."""
    reply = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.definitions.items():
        reply.signature_def[name].CopyFrom(definition)
    return reply
