"""Classifiers: one network and one training loop, and an objective for each fairness method.

:class:`NeuralClassifier` is a scikit-learn estimator; what it is trained for is an
:class:`Objective`, so every method starts from the same weights and sees the same batches.
:class:`NullspaceClassifier` removes the attributes from what the network has learned instead.
Training needs the extra ``fairlattice[torch]``; :class:`NullspaceProjection` does not.
"""

from fairlattice.classifiers._adversarial import Adversarial
from fairlattice.classifiers._differential import SoftDifferentialFairness
from fairlattice.classifiers._fair_grad import FairGrad
from fairlattice.classifiers._fair_mixup import FairMixup
from fairlattice.classifiers._group_dro import GroupDRO
from fairlattice.classifiers._neural import NeuralClassifier
from fairlattice.classifiers._nullspace import NullspaceProjection
from fairlattice.classifiers._nullspace_classifier import NullspaceClassifier
from fairlattice.classifiers._objective import Objective, Step, Training, Unconstrained

__all__ = [
    "Adversarial",
    "FairGrad",
    "FairMixup",
    "GroupDRO",
    "NeuralClassifier",
    "NullspaceClassifier",
    "NullspaceProjection",
    "Objective",
    "SoftDifferentialFairness",
    "Step",
    "Training",
    "Unconstrained",
]
