"""The network of ../network.md in floating point, with a head that only training sees (thirds of phones)."""
import torch
from torch import nn
from torch.nn import functional

from phones import PHONES

CLASSES = len(PHONES)
THIRDS = 1 + 3 * (CLASSES - 1)
HOP_CHANNELS, PAIR_CHANNELS = 64, 128
CONTEXT_TAPS = ((-1, 0, 1), (-2, 0, 1), (-3, 0, 1))
# Pairs that each layer looks ahead, added up, and the hops below them: what training must leave out at the ends of a crop.
MARGIN_PAIRS = 8


def shifted(tensor, by):
    """The tensor [batch, channels, time] as seen `by` steps later, zeros where there is nothing."""
    if by == 0:
        return tensor
    if by > 0:
        return functional.pad(tensor[:, :, by:], (0, by))
    return functional.pad(tensor[:, :, :by], (-by, 0))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.hop = nn.Conv1d(24, HOP_CHANNELS, 5, padding=2)
        self.pair = nn.Conv1d(HOP_CHANNELS, PAIR_CHANNELS, 4, stride=2, padding=1)
        self.context = nn.ModuleList(nn.Conv1d(3 * PAIR_CHANNELS, PAIR_CHANNELS, 1) for _ in CONTEXT_TAPS)
        widths = (HOP_CHANNELS,) + (PAIR_CHANNELS,) * (1 + len(CONTEXT_TAPS))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths)
        self.output = nn.Conv1d(PAIR_CHANNELS, CLASSES + 2, 1)
        self.thirds = nn.Conv1d(PAIR_CHANNELS, THIRDS, 1)
        self.dropout = nn.Dropout(0.05)

    def forward(self, bands):
        """bands [batch, 24, hops] (hops even) to (class logits [b, 40, pairs], speech logits [b, 2, pairs], thirds)."""
        hidden = functional.relu(self.norms[0](self.hop(bands)))
        hidden = functional.relu(self.norms[1](self.pair(hidden)))
        for layer, taps, norm in zip(self.context, CONTEXT_TAPS, self.norms[2:]):
            below = torch.cat([shifted(hidden, tap) for tap in taps], 1)
            hidden = self.dropout(functional.relu(norm(layer(below))) + hidden)
        logits = self.output(hidden)
        return logits[:, :CLASSES], logits[:, CLASSES:], self.thirds(hidden)
