"""Data-parallel training: communication between the processes of one `torchrun`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sephw.errors import SephwError, UsageError

# How long one process waits for another. They do the same work, so much less is usual; a slow disk
# or a large checkpoint may take some.
WAIT_SECONDS = 600.0
# Words in what gloo and NCCL say where they lose another process, or wait too long for it.
_LOST = ("gloo", "nccl", "connection closed", "connection reset", "timed out", "timeout")


@dataclass(frozen=True)
class Team:
    """The group of processes that train together: this one's ``rank`` of ``size``; alone by
    default.

    Every process holds the whole network and a share of each batch.
    """

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def is_leader(self) -> bool:
        """Whether this process, of rank 0, writes files and prints."""
        return self.rank == 0

    def all_reduce_sum(self, *values: float) -> tuple[float, ...]:
        """Sum each value over the processes."""
        if self.size == 1:
            return values
        import torch
        import torch.distributed as distributed

        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(sums)
        return tuple(sums.tolist())

    def broadcast_decision(self, decision: bool) -> bool:
        """The leader's decision, in every process."""
        return bool(self.all_reduce_sum(float(decision and self.is_leader))[0])

    def broadcast_weights(self, network: Any) -> None:
        """Give every process the leader's parameters and buffers."""
        if self.size == 1:
            return
        import torch.distributed as distributed

        for tensor in (*network.parameters(), *network.buffers()):
            dense = tensor.data.contiguous()  # channels-last tensors are not
            distributed.broadcast(dense, 0)
            tensor.data.copy_(dense)

    def wrap(self, network: Any) -> Any:
        """The network with gradients averaged over the processes."""
        if self.size == 1:
            return network
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(network)

    @contextmanager
    def explaining_failures(self) -> Iterator[None]:
        """Within this context, the end or standstill of another process becomes a SephwError.

        gloo notices an end at once, a standstill after `WAIT_SECONDS`.
        """
        try:
            yield
        except RuntimeError as error:
            text = str(error).lower()
            if self.size == 1 or not any(word in text for word in _LOST):
                raise
            raise SephwError(
                f"process {self.rank} of {self.size} has lost another, which ended or stood still "
                f"for {WAIT_SECONDS:g} s; see what that one says, then add --resume to go on"
            ) from error

    def leave(self, *, together: bool) -> None:
        """Leave the group of processes; ``together`` waits for all of them.

        A process that leaves while others still work may be aborted: its connections end under
        threads of gloo. After an error there may be nobody to wait for.
        """
        if self.size > 1:
            import torch.distributed as distributed

            # Wrapped networks hold the group, some in cycles.
            gc.collect()
            if together:
                distributed.barrier()
            distributed.destroy_process_group()


def join_team(device: str) -> Team:
    """The team that `torchrun` started this process in (gloo on CPUs, nccl on GPUs), or alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team(device=device)
    import torch
    import torch.distributed as distributed

    if device == "cuda":
        local = int(os.environ.get("LOCAL_RANK", "0"))
        if local >= torch.cuda.device_count():
            raise UsageError(
                f"--device cuda: process {local} on this machine has no GPU of its own; start at "
                f"most {torch.cuda.device_count()} with --nproc-per-node"
            )
        torch.cuda.set_device(local)
    team = Team(int(os.environ["RANK"]), size, device)
    with team.explaining_failures():
        distributed.init_process_group(
            "nccl" if device == "cuda" else "gloo", timeout=timedelta(seconds=WAIT_SECONDS)
        )
    return team
