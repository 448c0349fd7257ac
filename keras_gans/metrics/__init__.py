"""Metrics: of images and sounds, and as short functions over features and scores."""

from keras_gans.metrics.evaluation import evaluate
from keras_gans.metrics.features.network import FeatureNetwork
from keras_gans.metrics.functional.distances import frechet_distance, kernel_distance
from keras_gans.metrics.functional.manifolds import density_coverage, precision_recall
from keras_gans.metrics.functional.moments import Moments
from keras_gans.metrics.functional.naturalness import niqe
from keras_gans.metrics.functional.pixels import psnr, ssim
from keras_gans.metrics.functional.scores import (
    classification_accuracy_score,
    inception_score,
)
from keras_gans.metrics.functional.sounds import (
    SoundScores,
    sound_scores,
    stft_distance,
)
from keras_gans.metrics.functional.text import (
    TextScores,
    bleu,
    distinct_n,
    ngram_js,
    self_bleu,
    text_scores,
)
from keras_gans.metrics.functional.text_to_image import (
    TextToImageScores,
    edge_ratio,
    text_to_image_scores,
)
from keras_gans.metrics.functional.volumes import (
    VolumeScores,
    volume_iou,
    volume_scores,
)
from keras_gans.metrics.perceptual import feature_distance
from keras_gans.metrics.record import Record
from keras_gans.metrics.sounds import evaluate_sounds
from keras_gans.metrics.table_baselines import gaussian_copula, independent_columns
from keras_gans.metrics.tables import (
    TableScores,
    closest_record_ratio,
    column_scores,
    detection_score,
    efficacy,
    evaluate_table,
    pair_scores,
    table_scores,
    violations,
)
from keras_gans.metrics.text import text_nll
from keras_gans.metrics.videos import (
    FrameScores,
    VideoScores,
    frame_scores,
    video_scores,
)

__all__ = [
    "FeatureNetwork",
    "FrameScores",
    "Moments",
    "Record",
    "SoundScores",
    "TableScores",
    "TextScores",
    "TextToImageScores",
    "VideoScores",
    "VolumeScores",
    "bleu",
    "classification_accuracy_score",
    "closest_record_ratio",
    "column_scores",
    "density_coverage",
    "detection_score",
    "distinct_n",
    "edge_ratio",
    "efficacy",
    "evaluate",
    "evaluate_sounds",
    "evaluate_table",
    "feature_distance",
    "frame_scores",
    "frechet_distance",
    "gaussian_copula",
    "inception_score",
    "independent_columns",
    "kernel_distance",
    "ngram_js",
    "niqe",
    "pair_scores",
    "precision_recall",
    "psnr",
    "self_bleu",
    "sound_scores",
    "ssim",
    "stft_distance",
    "table_scores",
    "text_nll",
    "text_scores",
    "text_to_image_scores",
    "video_scores",
    "violations",
    "volume_iou",
    "volume_scores",
]
