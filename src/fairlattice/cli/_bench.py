"""``fairlattice bench``: the methods of the literature on real tables, resumable, with error bars."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import add_alpha, add_report, check_jobs
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    from fairlattice.benchmark import BenchResults, Plugins, Settings
    from fairlattice.datasets import Dataset

NAME = "bench"
HELP = "run the methods of the literature on data sets; every finished trial is kept"
EPILOG = """\
examples:
  fairlattice bench list
  fairlattice bench run --datasets diabetes --methods logistic,logistic+equal --store trials.sqlite
  fairlattice bench run --datasets adult,acs_income --rows 20000 --data-dir data --store trials.sqlite
  fairlattice bench show trials.sqlite --format markdown

Stop it whenever you like: a second start goes on where the first was stopped."""
_LISTS = ("datasets", "methods", "experiments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the three commands and their options."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    plain = argparse.RawDescriptionHelpFormatter
    run = commands.add_parser("run", help="run an experiment", allow_abbrev=False, formatter_class=plain)
    _add_run(run)
    kept = "interrupted; finished trials are kept, and the same command goes on."
    run.set_defaults(task=_run, interrupted=kept)
    show = commands.add_parser("show", help="tables and plots of what was run", allow_abbrev=False)
    show.add_argument("store", metavar="STORE", type=Path, help="the file that `bench run` kept results in")
    show.add_argument("--experiment", metavar="NAME", help="only the methods of that experiment")
    _add_output(show)
    show.set_defaults(task=_show)
    known = commands.add_parser("list", help="data sets, methods, experiments", allow_abbrev=False)
    known.add_argument(
        "what", nargs="?", metavar="WHAT", help="datasets, methods, experiments, or a data set: its card"
    )
    known.add_argument("--data-dir", type=Path, metavar="FOLDER", help="where data sets' files lie")
    known.add_argument("--plugin", type=Path, action="append", metavar="FILE", help="a file of your own")
    known.set_defaults(task=_list)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--datasets",
        metavar="A,B,…",
        required=True,
        help="data sets by name, with options as in twitter:pool=no; see bench list",
    )
    parser.add_argument(
        "--experiment",
        default="tradeoff",
        metavar="NAME",
        help="tradeoff (default), axes, leveling, fidelity or ablation",
    )
    parser.add_argument(
        "--methods",
        metavar="A,B,…",
        help="other methods instead: METHOD or METHOD+STRATEGY, as in fairgrad+augment",
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="splits (default 5)")
    parser.add_argument(
        "--rows", type=int, metavar="N", help="at most so many rows of each data set (default all)"
    )
    parser.add_argument(
        "--extra-test",
        type=int,
        default=0,
        metavar="N",
        help="test up to N of the rows beyond --rows too, so that rates of small groups are known better",
    )
    parser.add_argument(
        "--axes", type=int, metavar="N", help="the first N attributes of each data set (default all)"
    )
    parser.add_argument(
        "--store",
        type=Path,
        default=Path("bench.sqlite"),
        metavar="FILE",
        help="where results are kept (default bench.sqlite)",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="where data sets' files lie; without it they are fetched where OpenML has them",
    )
    parser.add_argument(
        "--text-model",
        type=Path,
        metavar="FOLDER",
        help="a local model of sentence-transformers for texts (default TF-IDF)",
    )
    parser.add_argument(
        "--image-weights",
        metavar="FILE",
        help="weights of ResNet18 for images, or imagenet: those of torchvision",
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep vectors of texts and images there")
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        metavar="FILE",
        help="methods and data sets of your own; may be given again",
    )
    parser.add_argument(
        "--notion",
        default="equalized_odds",
        metavar="NAME",
        help="what is to be equal: equalized_odds (default) or equal_opportunity",
    )
    add_alpha(parser)
    parser.add_argument(
        "--margin",
        type=float,
        default=0.03,
        help="loss of validation balanced accuracy allowed for fairness (default 0.03)",
    )
    parser.add_argument(
        "--per-cell",
        type=int,
        default=1000,
        metavar="N",
        help="strategies that make rows raise smaller cells to N rows (default 1000)",
    )
    parser.add_argument(
        "--split",
        default="random",
        metavar="HOW",
        help="random (default), or published: as the authors dealt rows out",
    )
    parser.add_argument(
        "--hidden",
        default="128,64,32",
        metavar="A,B,…",
        help="units of the network's hidden layers (default 128,64,32)",
    )
    parser.add_argument(
        "--dropout", type=float, default=0.2, help="share of hidden units dropped in training (default 0.2)"
    )
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of Adam (default 0.001)")
    parser.add_argument(
        "--steps",
        type=int,
        default=2000,
        metavar="N",
        help="batches that every method is trained on (default 2000)",
    )
    parser.add_argument(
        "--batch-size", type=int, default=128, metavar="N", help="rows of a batch (default 128)"
    )
    parser.add_argument("--retry", action="store_true", help="run trials that failed before once more")
    parser.add_argument(
        "--jobs", type=int, default=-1, metavar="N", help="processes; -1 (default) is one per core"
    )
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", default="terminal", metavar="NAME", help="terminal (default), markdown, latex or csv"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the table to a file instead (not for terminal)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result as JSON (- is standard output)"
    )
    add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what the command says."""
    return int(arguments.task(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from fairlattice.benchmark import bench
    from fairlattice.cli._interrupt import start_workers
    from fairlattice.cli._output import progress
    from fairlattice.cli._tables import check_writable

    _check_output(arguments)
    check_jobs(arguments.jobs)
    plugins, settings = _plugins(arguments), _settings(arguments)
    settings.check()
    check_writable(arguments.store, inputs=_inputs(arguments))  # a store may lie among the data
    methods = None if arguments.methods is None else _names(arguments.methods, "--methods")
    datasets = _datasets(arguments)
    start_workers(arguments.jobs)
    with progress("running") as bar:
        results = bench(
            datasets,
            arguments.store,
            experiment=arguments.experiment,
            methods=methods,
            seeds=arguments.seeds,
            rows=arguments.rows,
            axes=arguments.axes,
            extra_test=arguments.extra_test,
            settings=settings,
            plugins=plugins,
            retry=arguments.retry,
            n_jobs=arguments.jobs,
            progress=bar,
        )
    code = _publish(arguments, results, None)
    if not any(table.outcomes or table.fidelity or table.unfinished for table in results.tables):
        raise InputError("Every trial failed; see the errors above, mend their cause, and pass --retry.")
    return code


def _datasets(arguments: argparse.Namespace) -> list[Dataset]:
    """The data sets named, with texts and images as vectors where that was asked for."""
    from fairlattice.benchmark._shared import with_vectors
    from fairlattice.cli._output import progress
    from fairlattice.datasets import load_dataset

    found = []
    for text in _names(arguments.datasets, "--datasets"):
        name, *options = text.split(":")
        data = load_dataset(name, arguments.data_dir, **dict(_option(name, part) for part in options))
        with progress(f"encoding {name}") as bar:
            model, weights = arguments.text_model, arguments.image_weights
            found.append(
                with_vectors(
                    data, text_model=model, image_weights=weights, cache=arguments.cache, progress=bar
                )
            )
    return found


def _option(name: str, text: str) -> tuple[str, Any]:
    """``pool=no`` as ``("pool", False)``."""
    key, sign, value = text.partition("=")
    if not sign or key in ("name", "data_dir"):
        raise InputError(f"`--datasets` has {name}:{text}. Options are told as in {name}:OPTION=VALUE.")
    return key, {"yes": True, "no": False}.get(value, value)


def _show(arguments: argparse.Namespace) -> int:
    from fairlattice._validation import check_choice
    from fairlattice.benchmark._shared import EXPERIMENTS, Store, read_results

    _check_output(arguments)
    if arguments.experiment is not None:
        check_choice("--experiment", arguments.experiment, tuple(EXPERIMENTS))
    return _publish(arguments, read_results(Store(arguments.store, create=False)), arguments.experiment)


def _publish(arguments: argparse.Namespace, results: BenchResults, experiment: str | None) -> int:
    """Print or write tables, JSON and page."""
    from fairlattice.cli._output import for_terminal, note, publish, report_file
    from fairlattice.report import bench_summary, to_json
    from fairlattice.report._shared import bench_table, bench_text

    summary = bench_summary(results, experiment=experiment)
    others = [report_file(arguments.report, summary)]
    if arguments.format == "terminal":
        view: Any = bench_text(for_terminal(summary))
    else:
        view = bench_table(summary, arguments.format)
        if arguments.out is not None:
            content = view.encode()
            others.append((arguments.out, lambda target: target.write(content)))
            view = f"wrote {arguments.out}"
    publish(to_json(summary), arguments.json, view, *others)
    failed = sum(len(table["failed"]) for table in summary["tables"])
    note(arguments.prog, [f"{failed} trials failed; --format terminal names them."] if failed else [])
    return 0


def _check_output(arguments: argparse.Namespace) -> None:
    from fairlattice._validation import check_choice
    from fairlattice.cli._tables import check_writable
    from fairlattice.report._shared import BENCH_FORMATS

    check_choice("--format", arguments.format, BENCH_FORMATS)
    if arguments.out is not None and arguments.format == "terminal":
        raise InputError("`--out` writes a table to a file: pass --format markdown, latex or csv with it.")
    written = (arguments.out, arguments.report, arguments.json)
    inputs = (arguments.store, *_inputs(arguments, *written))
    check_writable(arguments.out, arguments.report, json=arguments.json, inputs=inputs)


def _inputs(arguments: argparse.Namespace, *written: Path | None) -> tuple[Path, ...]:
    """Files that are read: plugins, and those of the files to be written that lie among data or models."""
    names = ("data_dir", "text_model", "cache")
    folders = [f.resolve() for name in names if (f := getattr(arguments, name, None)) is not None]
    there = [path for path in written if path is not None and path.exists()]
    among = [path for path in there if set(folders) & set(path.resolve().parents)]
    weights = getattr(arguments, "image_weights", None)
    files = [*(getattr(arguments, "plugin", None) or ()), *([Path(weights)] if weights else ())]
    return (*files, *among)


def _settings(arguments: argparse.Namespace) -> Settings:
    from fairlattice.benchmark import Network, Settings

    try:
        hidden = tuple(int(units) for units in arguments.hidden.split(","))
    except ValueError as error:
        raise InputError(
            f"`--hidden` takes whole numbers, as in 128,64,32; got {arguments.hidden!r}."
        ) from error
    network = Network(
        hidden, arguments.dropout, arguments.learning_rate, arguments.steps, arguments.batch_size
    )
    return Settings(
        arguments.notion, arguments.alpha, arguments.margin, arguments.per_cell, arguments.split, network
    )


def _plugins(arguments: argparse.Namespace) -> Plugins:
    from fairlattice.benchmark import Plugins

    return Plugins.of(arguments.plugin or ())


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"`{option}` names nothing. See fairlattice bench list.")
    return names


def _list(arguments: argparse.Namespace) -> int:
    from fairlattice._validation import check_choice
    from fairlattice.cli._output import note, show
    from fairlattice.datasets import dataset_names, load_dataset
    from fairlattice.report._shared import bench_list_text, dataset_card

    methods = _plugins(arguments).load()
    if arguments.what is None or arguments.what in _LISTS:
        show(bench_list_text(methods, _LISTS if arguments.what is None else (arguments.what,)))
        return 0
    name = check_choice("WHAT", arguments.what, (*_LISTS, *dataset_names()))
    try:
        data = load_dataset(name, arguments.data_dir)
    except InputError as error:  # what is known without it can be read all the same
        show(dataset_card(name, None))
        note(arguments.prog, [str(error)])
        return 0
    show(dataset_card(name, data))
    return 0
