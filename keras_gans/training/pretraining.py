"""What is told of a training that ends before the last phases of its GAN start."""

from typing import TYPE_CHECKING

from keras_gans.utils.text import count_of

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


def last_start(gan: "BaseGAN") -> int:
    """The step in which the last of a GAN's phases starts."""
    return max(phase.start for phase in gan.phases())


def reaching(late: int) -> int:
    """Steps of which a fifth, at least one, is left once the last phase starts."""
    return -(-5 * late // 4)


def before(gan: "BaseGAN", steps: int, when: str = "This") -> str | None:
    """What to tell of a run that only pre-trains; `None` of others.

    Args:
        gan: `BaseGAN`.
        steps: int, that it trains in all.
        when: str, the start of the sentence.
    """
    late = _late(gan, steps)
    return late and (
        f"{when} run only pre-trains: {late}. "
        f"Give --steps={reaching(last_start(gan))} or so, or a smaller "
        "--pretrain_steps."
    )


def after(gan: "BaseGAN", steps: int) -> str | None:
    """What to tell of a run that has only pre-trained; `None` of others."""
    late = _late(gan, steps)
    return late and (
        f"It has only pre-trained: {late}. Go on with --resume "
        f"--steps={reaching(last_start(gan))} or so."
    )


def _late(gan, steps):
    """The phases that are part of no step, and when they start; `None`: none is."""
    late = last_start(gan)
    if steps > late:
        return None
    names = ", ".join(phase.name for phase in gan.phases() if phase.start >= steps)
    return f"{names} start after {count_of(late, 'step')}"
