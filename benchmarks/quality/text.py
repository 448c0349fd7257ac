"""RelGAN beside a language model of equal size, on surnames and on an oracle.

    python benchmarks/quality/text.py surnames --seed=0 --mle=60 --more=60
    python benchmarks/quality/text.py oracle --seed=0 --mle=60 --more=60
    python benchmarks/quality/text.py docs

surnames: four fifths of 88,549 surnames are trained on. A generator is trained by
likelihood for --mle seconds; then, from the same weights, once against the
discriminator and once by likelihood again, --more seconds each. Samples of each, of
the second at several temperatures, and of a 4-gram model are scored:

- quality: nats a letter that a 5-gram model of the held-out fifth takes;
- diversity: nats a letter of held-out names under a 4-gram model of the samples;
- js4: the divergence of their 4-grams from the held-out ones';
- distinct: the share of different ones; hits: of those not trained on, the share
  that are surnames of the held-out fifth.

oracle: the same of sentences of an LSTM with weights of N(0, 1), by the likelihood
that it gives to samples (nll_oracle) and the model to its sentences (nll_gen).

A line goes to --results. With --clock=cpu the seconds are this process's.
"""

import argparse
from collections import Counter, defaultdict
import json
import pathlib
import sys

import keras
import numpy as np

import keras_gans as kg
from keras_gans import metrics

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

TEMPERATURES = (0.6, 0.7, 0.8, 0.9, 1.1, 1.2)
RESULTS = pathlib.Path("results/text.jsonl")
IMAGE = pathlib.Path("docs/images/relgan_surnames.png")
SIZES = {
    "head_size": 64,
    "d_embedding_dim": 16,
    "representations": 8,
    "filters": 64,
    "beta_steps": 1000,
}


class Ngrams:
    """An interpolated model of n-grams of letters (Witten and Bell's)."""

    def __init__(self, names, order):
        self.order = order
        self.counts = defaultdict(Counter)
        for name in names:
            letters = ["^"] * (order - 1) + [*name, "$"]
            for i in range(order - 1, len(letters)):
                for k in range(order):
                    self.counts["".join(letters[i - k : i])][letters[i]] += 1
        self.letters = [*map(chr, range(97, 123)), "$"]
        self._kept = {}

    def probabilities(self, context):
        context = context[len(context) - self.order + 1 :]
        if context not in self._kept:
            uniform = np.full(len(self.letters), 1 / len(self.letters))
            p = self.probabilities_of_less(context) if context else uniform
            seen = self.counts.get(context)
            if seen:
                own = np.array([seen[x] for x in self.letters], "float64")
                p = (own + len(seen) * p) / (own.sum() + len(seen))
            self._kept[context] = p
        return self._kept[context]

    def probabilities_of_less(self, context):
        order, self.order = self.order, len(context)
        p = self.probabilities(context[1:])
        self.order = order
        return p

    def nll(self, names):
        total, count = 0.0, 0
        for name in names:
            context = "^" * (self.order - 1)
            for letter in [*name, "$"]:
                p = self.probabilities(context)
                total -= np.log(p[self.letters.index(letter)])
                context, count = (context + letter)[1:], count + 1
        return total / count

    def sample(self, n, rng, longest=12):
        made = []
        for _ in range(n):
            context, name = "^" * (self.order - 1), ""
            while len(name) < longest:
                letter = rng.choice(self.letters, p=self.probabilities(context))
                if letter == "$":
                    break
                context, name = (context + letter)[1:], name + letter
            made.append(name)
        return made


class Oracle:
    """SeqGAN's oracle: an LSTM whose weights are all of N(0, 1)."""

    def __init__(self, vocabulary, length, seed, units=32):
        rng = np.random.default_rng(seed)

        def normal(*shape):
            return rng.normal(size=shape).astype("float32")

        self.length, self.units = length, units
        self.embeddings = normal(vocabulary, units)
        self.w, self.u = normal(units, 4 * units), normal(units, 4 * units)
        self.b = normal(4 * units)
        self.out, self.out_b = normal(units, vocabulary), normal(vocabulary)

    def _step(self, token, h, c):
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        gates = self.embeddings[token] @ self.w + h @ self.u + self.b
        i, f, o, g = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        logits = h @ self.out + self.out_b
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), h, c

    def _zeros(self, n):
        zeros = np.zeros((n, self.units), "float32")
        return np.zeros(n, int), zeros, zeros

    def sample(self, n, seed):
        rng, made = np.random.default_rng(seed), []
        token, h, c = self._zeros(n)
        for _ in range(self.length):
            logits, h, c = self._step(token, h, c)
            token = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
            made.append(token)
        return np.stack(made, axis=1).astype("int32")

    def nll(self, ids):
        token, h, c = self._zeros(len(ids))
        total = 0.0
        for t in range(self.length):
            logits, h, c = self._step(token, h, c)
            token = ids[:, t]
            total -= logits[np.arange(len(ids)), token].mean()
        return float(total / self.length)


def models(args, length, vocabulary, separator):
    """A function that makes RelGAN, of likelihood alone or of D alone."""

    def make(adversarial):
        keras.utils.set_random_seed(args.seed)
        gan = kg.RelGAN(
            length,
            vocabulary,
            separator,
            **SIZES,
            beta=args.beta,
            pretrain_steps=0 if adversarial else 10**9,
            pretrain_rate=args.mle_rate,
            d_steps=args.d_steps if adversarial else 1,
            seed=args.seed,
        )
        optimizers = {}
        if adversarial:
            for name, rate in (("d", args.d_rate), ("g", args.g_rate)):
                adam = keras.optimizers.Adam(rate, epsilon=1e-8, global_clipnorm=5.0)
                optimizers[f"{name}_optimizer"] = adam
        gan.compile(**optimizers)
        return gan

    return make


class Budget(timed.Budget):
    """By the loss of the phase that runs."""

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, {"d_loss": next(iter(logs.values()))})


def fit(args, gan, ids, seconds):
    budget = Budget(seconds, args.clock)
    gan.fit(ids, batch_size=args.batch, epochs=10**6, verbose=0, callbacks=[budget])
    return budget.steps


def both(args, make, ids, score):
    """The scores at the start, then trained against D, and by likelihood."""
    mle = make(False)
    steps = {"mle": fit(args, mle, ids, args.mle)}
    found = {"start": score(mle)}
    print("start", found["start"], steps, flush=True)
    gan = make(True)
    gan.generator.set_weights(mle.generator.get_weights())
    steps["relgan"] = fit(args, gan, ids, args.more)
    found["relgan"] = score(gan)
    print("relgan", found["relgan"], steps, flush=True)
    mle.optimizers["mle"].learning_rate = args.mle_rate / 3
    steps["more"] = fit(args, mle, ids, args.more)
    found["mle"] = score(mle)
    print("mle", found["mle"], steps, flush=True)
    return found, steps, gan, mle


def surnames(args):
    names = kg.data.read_lines("surnames").texts
    order = np.random.default_rng(0).permutation(len(names))
    cut = len(names) // 5
    held = [names[i] for i in order[:cut]]
    trained = [names[i] for i in order[cut:]]
    tokens = kg.Tokens(12, ("", *map(chr, range(97, 123))), "")
    rows = kg.data.lines.Lines("surnames", trained, list(range(len(trained))))
    ids = kg.data.lines.encode(rows, tokens).ids
    known, unseen = set(trained), set(held) - set(trained)
    letters = Ngrams(held, 5)

    def scored(made):
        made = [name for name in made if name]
        new = {name for name in made if name not in known}
        return {
            "quality": round(letters.nll(made), 4),
            "diversity": round(Ngrams(made, 4).nll(held[:4000]), 4),
            "js4": round(metrics.ngram_js(held, made, 4), 4),
            "distinct": round(len(set(made)) / len(made), 4),
            "hits": round(len(new & unseen) / max(1, len(new)), 4),
        }

    def score(gan, **given):
        return scored(gan.sample(args.n, seed=args.seed, **given))

    make = models(args, tokens.length, tokens.vocabulary, "")
    rng = np.random.default_rng(args.seed)
    found = {
        "real": scored([trained[i] for i in rng.permutation(len(trained))[: args.n]])
    }
    found["4-gram"] = scored(Ngrams(trained, 4).sample(args.n, rng))
    print(found, flush=True)
    trained_scores, steps, gan, mle = both(args, make, ids, score)
    found |= trained_scores
    for t in TEMPERATURES:
        found[f"mle at {t}"] = score(mle, temperature=t)
    found["relgan at 0.8"] = score(gan, temperature=0.8)
    line = {"what": "surnames", "scores": found, "steps": steps}
    line["samples"] = {k: g.sample(12, 1) for k, g in (("relgan", gan), ("mle", mle))}
    return line


def oracle(args):
    true = Oracle(args.vocabulary, 20, seed=0)
    ids, held = true.sample(10_000, 1), true.sample(2_000, 2)

    def score(gan):
        made = gan.sample_ids(args.n, seed=args.seed)
        return {
            "nll_oracle": round(true.nll(made), 4),
            "nll_gen": round(metrics.text_nll(gan, held), 4),
            "distinct": round(len(np.unique(made, axis=0)) / len(made), 4),
        }

    make = models(args, 20, args.vocabulary, " ")
    found, steps, *_ = both(args, make, ids, score)
    found["oracle"] = {"nll_oracle": round(true.nll(held), 4)}
    chance = np.random.default_rng(0).integers(0, args.vocabulary, held.shape)
    found["chance"] = {"nll_oracle": round(true.nll(chance), 4)}
    return {
        "what": "oracle",
        "vocabulary": args.vocabulary,
        "scores": found,
        "steps": steps,
    }


def docs(args):
    lines = [json.loads(line) for line in args.results.read_text().splitlines()]
    for what in ("surnames", "oracle"):
        some = [line for line in lines if line["what"] == what]
        if not some:
            continue
        names = list(some[0]["scores"]["start"])
        print(f"\n| {what} | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
        for kind in some[0]["scores"]:
            rows = [line["scores"][kind] for line in some]
            told = [
                ", ".join(f"{row[name]:.3f}" for row in rows if name in row)
                for name in names
            ]
            print(f"| {kind} | {' | '.join(told)} |")
    plot([line for line in lines if line["what"] == "surnames"])


def plot(lines):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.4), dpi=110, layout="constrained")
    for i, line in enumerate(lines):
        scores = line["scores"]
        named = {k: (v["quality"], v["diversity"]) for k, v in scores.items()}
        curve = [(float(k.split()[-1]), *v) for k, v in named.items() if "mle at" in k]
        curve = sorted([*curve, (1.0, *named["mle"])])
        axes.plot(
            [x for _, x, _ in curve],
            [y for _, _, y in curve],
            "o-",
            color="C0",
            ms=4,
            label=None if i else "MLE, temperatures 0.6 to 1.2",
        )
        for kind, marker, colour, told in (
            ("start", "s", "C0", "start of both (MLE)"),
            ("relgan", "*", "C3", "RelGAN"),
            ("relgan at 0.8", "x", "C3", "RelGAN at 0.8"),
            ("4-gram", "^", "C2", "4-gram model"),
            ("real", "D", "black", "real names"),
        ):
            x, y = named[kind]
            axes.plot(
                x, y, marker, color=colour, ms=9, label=None if i else told, ls=""
            )
    axes.set_xlabel("nats a letter of samples under a 5-gram model (lower: likelier)")
    axes.set_ylabel("nats of held-out names under samples\n(lower: more varied)")
    axes.legend(fontsize=8, loc="center right")
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("what", choices=("surnames", "oracle", "docs"))
    add("--seed", type=int, default=0)
    add("--mle", type=float, default=60, help="seconds of likelihood at first")
    add("--more", type=float, default=60, help="seconds of each that follows")
    add("--clock", choices=timed.CLOCKS, default="wall")
    add("--vocabulary", type=int, default=5000, help="tokens of the oracle")
    add("--batch", type=int, default=64)
    add("--beta", type=float, default=100.0)
    add("--d_steps", type=int, default=5)
    add("--d_rate", type=float, default=1e-4)
    add("--g_rate", type=float, default=1e-4)
    add("--mle_rate", type=float, default=3e-3)
    add("--n", type=int, default=5000, help="samples that are scored")
    add("--results", type=pathlib.Path, default=RESULTS)
    args = parser.parse_args()
    if args.what == "docs":
        docs(args)
        return
    line = surnames(args) if args.what == "surnames" else oracle(args)
    told = ("seed", "mle", "more", "clock", "batch", "beta", "d_steps", "n")
    told += ("d_rate", "g_rate", "mle_rate")
    line = {**{name: getattr(args, name) for name in told}, **line}
    print(line, flush=True)
    args.results.parent.mkdir(exist_ok=True)
    with args.results.open("a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
