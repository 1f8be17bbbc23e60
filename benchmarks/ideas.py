"""What others recommend, as strategies for `tradeoff.py --plugin`: none of them earned a place in the library.

`mixup` is vanilla mixup (arXiv:1710.09412, found ahead of Fair Mixup on many groups by arXiv:2412.10575), on encoded
rows: each synthetic row lies between two real ones, and counts for both labels. `focal` is boosting with focal loss
(arXiv:1708.02002), by LightGBM, and `margins` with margins of cells that fall with the fourth root of their rows
(LDAM, arXiv:1906.07413, whose classes are cells here). `multicalibrated` passes scores through MCGrad
(arXiv:2509.19884), with the groups, before one threshold for everyone, and `multicalibrated_leaf` before a threshold
per leaf. The last four need LightGBM, and two of them MCGrad.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from fairlattice.groups import Attribute, GroupLattice
from fairlattice.strategies._decisions import DECISIONS
from fairlattice.strategies._equal import cell_weights
from fairlattice.strategies._folds import out_of_fold_scores, scores_of
from fairlattice.strategies._weighted_fit import fit_weighted

COPIES, BETA, GAMMA, WIDEST = 3, 0.2, 2.0, 1.0


class Mixup:
    """Class weights, and rows between any two rows."""

    name = "mixup"
    about = "vanilla mixup of any two rows, by class"
    uses_groups = False

    def fit(self, table):
        rng = table.rng(20)
        X, y = table.X, table.index.labels
        weights = self.by(table)
        n = len(y)
        first = rng.choice(n, COPIES * n, p=weights / weights.sum())
        second = rng.choice(n, COPIES * n, p=weights / weights.sum())
        share = rng.beta(BETA, BETA, COPIES * n)
        rows = share[:, None] * X[first] + (1 - share[:, None]) * X[second]
        labels = table.labels_of(np.concatenate([y[first], y[second]]))
        mixed = np.concatenate([share, 1 - share])
        return fit_weighted(clone(table.estimator), np.vstack([rows, rows]), labels, mixed, rng=rng)

    def by(self, table):
        return cell_weights(table.index.labels)


class MixupEqual(Mixup):
    """Equal weights of cells, and rows between any two rows."""

    name = "mixup_equal"
    about = "vanilla mixup of any two rows, by cell"
    uses_groups = True

    def by(self, table):
        return cell_weights(table.index.leaves * 2 + table.index.labels)


class Focal:
    """Boosting with focal loss; the classifier that was asked for is not used."""

    name = "focal"
    about = "boosting with focal loss, by class"
    uses_groups = False

    def fit(self, table):
        return FocalBoosting().fit(table.X, table.index.labels, cell_weights(table.index.labels))


class FocalBoosting(ClassifierMixin, BaseEstimator):
    """LightGBM with focal loss, as small as scikit-learn's boosting here."""

    def fit(self, X, y, weights):
        import lightgbm

        def focal(truth, raw):
            p = 1 / (1 + np.exp(-raw))
            right = np.where(truth == 1, p, 1 - p).clip(1e-9, 1 - 1e-9)
            sign = np.where(truth == 1, 1.0, -1.0)
            # d/dr of -(1 - q)^g log q, with q' = sign q (1 - q).
            slope = sign * (GAMMA * (1 - right) ** GAMMA * right * np.log(right) - (1 - right) ** (GAMMA + 1))
            bend = np.maximum((1 - right) ** GAMMA * right * (1 - right), 1e-6)
            return slope * weights, bend * weights

        self.model_ = lightgbm.LGBMClassifier(
            n_estimators=100, learning_rate=0.1, objective=focal, verbose=-1
        )
        self.model_.fit(X, y)
        return self

    def predict(self, X):
        return (self.model_.predict(X, raw_score=True) > 0).astype(int)


class Margins:
    """Boosting with margins that are large in small cells; the classifier that was asked for is not used."""

    name = "margins"
    about = "boosting with label-distribution-aware margins of cells"
    uses_groups = True

    def fit(self, table):
        labels, cells = table.index.labels, table.index.leaves * 2 + table.index.labels
        rows = np.bincount(cells)[cells]
        margins = WIDEST * (rows.min() / rows) ** 0.25
        return MarginBoosting().fit(table.X, labels, margins, cell_weights(labels))


class MarginBoosting(FocalBoosting):
    """LightGBM with logistic loss of the score less a margin in favour of the wrong label."""

    def fit(self, X, y, margins, weights):
        import lightgbm

        def with_margin(truth, raw):
            p = 1 / (1 + np.exp(-(raw - np.where(truth == 1, margins, -margins))))
            return (p - truth) * weights, np.maximum(p * (1 - p), 1e-6) * weights

        self.model_ = lightgbm.LGBMClassifier(
            n_estimators=100, learning_rate=0.1, objective=with_margin, verbose=-1
        )
        self.model_.fit(X, y)
        return self


class Multicalibrated:
    """Scores that are calibrated in every group, then one threshold."""

    name = "multicalibrated"
    about = "class weights; scores multicalibrated by MCGrad; one threshold"
    needs_groups = True
    decision = "tuned"

    def fit(self, table):
        from mcgrad.methods import MCGrad

        def trained(part):
            return fit_weighted(
                clone(part.estimator), part.X, part.y, cell_weights(part.index.labels), rng=part.rng(21)
            )

        scores = out_of_fold_scores(table, trained)
        levels = table.index.lattice.names
        frame = self.frame(scores, np.asarray(table.sensitive_features), levels)
        frame["label"] = table.index.labels
        halves = np.arange(len(frame)) % 2  # calibrated scores of rows that the calibration has not seen
        calibrated = np.empty(len(frame))
        for half in (0, 1):
            model = MCGrad(random_state=0).fit(
                frame[halves != half], "score", "label", None, list(levels), []
            )
            calibrated[halves == half] = model.predict(frame[halves == half], "score", list(levels), [])
        decision = DECISIONS[self.decision].choose(table, lambda: calibrated)
        whole = MCGrad(random_state=0).fit(frame, "score", "label", None, list(levels), [])
        return Calibrated(trained(table), whole, decision, table.index.lattice)

    @staticmethod
    def frame(scores, levels, names):
        import pandas as pd

        columns = {name: levels[:, j].astype(str) for j, name in enumerate(names)}
        return pd.DataFrame({"score": np.clip(scores, 1e-6, 1 - 1e-6), **columns})


class MulticalibratedLeaf(Multicalibrated):
    """Scores that are calibrated in every group, then a threshold per leaf."""

    name = "multicalibrated_leaf"
    about = "class weights; scores multicalibrated by MCGrad; a threshold per leaf"
    decision = "thresholds"


class Calibrated:
    """A classifier, a calibration, and a decision."""

    def __init__(self, model, calibration, decision, lattice):
        self.model, self.calibration, self.decision, self.lattice = model, calibration, decision, lattice

    def predict(self, X, sensitive_features):
        levels = np.asarray(sensitive_features)
        frame = Multicalibrated.frame(scores_of(self.model, X), levels, self.lattice.names)
        scores = self.calibration.predict(frame, "score", list(self.lattice.names), [])
        # Bands are levels here, not numbers to be cut, so that a lattice without cut points encodes them.
        plain = GroupLattice(tuple(Attribute(a.name, a.levels) for a in self.lattice.attributes))
        leaves = plain.encode({name: levels[:, j] for j, name in enumerate(plain.names)})
        return self.decision.above(scores, X, self.lattice, leaves).astype(int)
