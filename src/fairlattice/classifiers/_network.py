"""The network: linear layers with ReLU and dropout between them, and one logit at the end.

It is plain tensors and a few products, without modules, so that nothing draws from torch's global
generator: initial weights and dropout masks are drawn outside and handed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import linear

Layer = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Network:
    """A perceptron; its last layer has one output.

    Parameters
    ----------
    layers : list of (tensor of shape (out, in), tensor of shape (out,))
        Weights and biases, in order.
    """

    layers: list[Layer]

    def hidden(self, x: torch.Tensor, masks: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """The last hidden representation of rows, of shape (b, h); `masks` are dropout's, one a layer."""
        for j, (weight, bias) in enumerate(self.layers[:-1]):
            x = linear(x, weight, bias).relu_()
            if masks:
                x = x * masks[j]
        return x

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Outputs of shape (b,) of a one-logit network, from the last hidden representation."""
        return linear(hidden, *self.layers[-1])[:, 0]

    def along(self, x: torch.Tensor, direction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logit at `x`, and its derivative in a direction per row; without dropout.

        The derivative is carried forward with the value (a ReLU lets it pass where it is open), so
        that its own gradient costs one ordinary backward pass.
        """
        for weight, bias in self.layers[:-1]:
            x = linear(x, weight, bias).relu_()
            direction = linear(direction, weight) * (x > 0)
        weight, bias = self.layers[-1]
        return linear(x, weight, bias)[:, 0], linear(direction, weight)[:, 0]

    def parameters(self) -> list[torch.Tensor]:
        """All weights and biases."""
        return [tensor for layer in self.layers for tensor in layer]

    def frozen(self) -> Network:
        """A copy on the CPU in double precision that needs no gradients."""
        return Network([(w.detach().cpu().double(), b.detach().cpu().double()) for w, b in self.layers])


def make_network(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Network:
    """A network with layers of the given sizes, inputs first, uniform in ±1/√(inputs of the layer)."""
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        bound = 1 / math.sqrt(fan_in)
        drawn = [rng.uniform(-bound, bound, shape) for shape in ((fan_out, fan_in), (fan_out,))]
        weight, bias = (torch.tensor(a, dtype=dtype, device=device).requires_grad_() for a in drawn)
        layers.append((weight, bias))
    return Network(layers)
