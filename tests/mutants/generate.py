"""generate.py FILE...: print the mutants of these files, a JSON object a line.

cosmic-ray creates them; it is in the Python of build/mutants, which runs this.  Operators with
redundant mutants are excluded: of a comparison one neighbour and the opposite are enough.  An
operator that forgets a call is added.
"""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator, operator_names

WANTED = re.compile(
    r"core/(AddNot|ExceptionReplacer|NumberReplacer|RemoveDecorator|ZeroIterationForLoop"
    r"|Replace(True|False|And|Or|Break|Continue)With\w+"
    r"|ReplaceUnaryOperator_(Delete_Not|USub_UAdd)"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is|In_NotIn|NotIn_In"
    r"|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Add|Pow_Mul|BitOr_BitAnd|BitAnd_BitOr"
    r"|LShift_RShift))"
)


class ForgetStatement(Operator):  # type: ignore[misc]  # cosmic-ray has no types
    """Remove an assignment, or a call whose result is unused."""

    def mutation_positions(self, node: parso.tree.NodeOrLeaf) -> Iterator[object]:
        """The statement, unless it is a docstring, an import or an exit."""
        if node.type == "simple_stmt" and ASTQuery(node).get_definition_name():
            what = node.children[0]
            slots = what.get_first_leaf().value == "__slots__"  # only memory
            bare = what.type == "expr_stmt" and "=" not in what.get_code()  # a type, no value
            if what.type in ("expr_stmt", "atom_expr") and not slots and not bare:
                yield node.start_pos, node.end_pos

    def mutate(self, node: parso.tree.NodeOrLeaf, index: int) -> parso.tree.NodeOrLeaf:
        """Replace it by `pass`."""
        nothing = parso.parse("pass\n").children[0]
        nothing.get_first_leaf().prefix = node.get_first_leaf().prefix
        nothing.parent = node.parent
        return nothing

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """One."""
        return (Example("def f():\n    g()\n", "def f():\n    pass\n"),)


class _Plain(ast.NodeTransformer):
    """`not a == b` equals `a != b`, and `not not a` equals `a`: one mutant, not two."""

    OPPOSITES: ClassVar[dict[type[ast.cmpop], type[ast.cmpop]]] = {
        ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
        ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Lt: ast.GtE, ast.GtE: ast.Lt,
        ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    }  # fmt: skip

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:  # noqa: N802  # ast's
        self.generic_visit(node)
        inner = node.operand
        if not isinstance(node.op, ast.Not):
            return node
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
            return inner.operand
        if isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            inner.ops = [self.OPPOSITES[type(inner.ops[0])]()]
            return inner
        return node


def _meaning(source: str) -> str:
    return ast.dump(_Plain().visit(ast.parse(source)))


def _for_types_only(source: str) -> set[int]:
    """The lines that only a type checker reads."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TYPE_CHECKING":
            lines.add(node.lineno)
    return lines


def _changed(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, each side as one string, without its indentation."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while old[start : start + 1] == new[start : start + 1]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    sides = (old[start : len(old) - end], new[start : len(new) - end])
    return tuple(" ".join(line.strip() for line in side) for side in sides)  # type: ignore[return-value]


def mutants(path: Path) -> Iterator[dict[str, str]]:
    """Each mutant of a file once: file, function, the text before and after, the source."""
    source = path.read_text()
    seen = {_meaning(source)}
    skipped = _for_types_only(source)
    same: Counter[tuple[str, str, str]] = Counter()
    tree = parso.parse(source)
    operators = [get_operator(name)() for name in operator_names() if WANTED.fullmatch(name)]
    for operator in (*operators, ForgetStatement()):
        places = [
            (node, start[0])
            for node in ast_nodes(tree)
            for start, _ in operator.mutation_positions(node)
        ]
        for occurrence, (node, line) in enumerate(places):
            try:
                mutated = mutate_code(source, operator, occurrence)
                meaning = _meaning(mutated)
            except (AttributeError, SyntaxError):  # cosmic-ray does not support `except (a.B, C)`
                continue
            if line in skipped or meaning in seen:
                continue
            seen.add(meaning)
            function = ASTQuery(node).get_definition_name() or ""
            before, after = _changed(source, mutated)
            same[function, before, after] += 1
            count = same[function, before, after]  # of equal lines in a function
            yield {
                "file": str(path.relative_to("pam_pykeyinit")),
                "function": function,
                "before": before,
                "after": after if count == 1 else f"{after} #{count}",
                "source": mutated,
            }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for mutant in mutants(Path(name)):
            print(json.dumps(mutant))
