"""The result of a target."""

from dataclasses import asdict, dataclass, field


@dataclass
class Result:
    """The figures and findings of one run."""

    target: str
    means: str
    executions: int
    seconds: int
    seeds: int  # inputs in the tree's corpus
    inputs: int = 0  # those, and the added ones
    reached: dict[str, list[int]] = field(default_factory=dict)
    found: str = ""  # with the file of the input

    def figures(self) -> dict[str, object]:
        """For report.json: edges of the loader; lines and branches, reached and in all."""
        return asdict(self)

    def __str__(self) -> str:
        parts = [
            f"fuzz {self.target}: {self.executions} executions in {self.seconds} s", self.means
        ]  # fmt: skip
        parts += [f"{file}: {_reported(*numbers)}" for file, numbers in self.reached.items()]
        return "; ".join(parts) + (f"\n{self.found}" if self.found else "")


def _reported(reached: int, total: int, *branches: int) -> str:
    if not branches:
        return f"{reached} of {total} edges"
    return f"{reached} of {total} lines, {branches[0]} of {branches[1]} branches"
