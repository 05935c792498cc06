"""Ways through a model that together make every move once at the least."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator

from .explorer import Model, Move

_Edges = dict[Hashable, list[Move]]


def tours(model: Model, *, longest: int) -> Iterator[list[Move]]:
    """Yield walks from the initial state, of about ``longest`` moves at most, until every move was made."""
    edges = _all_edges(model)
    left = {state: list(moves) for state, moves in edges.items() if moves}
    while left:
        walk: list[Move] = []
        state = model.initial()
        while len(walk) < longest:
            if not left.get(state):
                way = _way_to_open(edges, left, state)
                if not way:
                    break
                walk += way
                state = way[-1].state
            move = _next(left, state)
            if not left[state]:
                del left[state]
            walk.append(move)
            state = move.state
        assert walk, "a move cannot be reached"
        yield walk


def _next(left: _Edges, state: Hashable) -> Move:
    """Take the move that leads to where most is left to do."""
    moves = left[state]
    best = max(range(len(moves)), key=lambda number: len(left.get(moves[number].state, ())))
    return moves.pop(best)


def _all_edges(model: Model) -> _Edges:
    edges: _Edges = {}
    coming = deque([model.initial()])
    while coming:
        state = coming.popleft()
        if state in edges:
            continue
        edges[state] = list(model.moves(state))
        coming.extend(move.state for move in edges[state])
    return edges


def _way_to_open(edges: _Edges, left: _Edges, state: Hashable) -> list[Move]:
    """Return a shortest way to a state that has a move left."""
    came: dict[Hashable, tuple[Hashable, Move] | None] = {state: None}
    coming = deque([state])
    while coming:
        here = coming.popleft()
        if left.get(here):
            way = []
            while (step := came[here]) is not None:
                here = step[0]
                way.append(step[1])
            return way[::-1]
        for move in edges[here]:
            if move.state not in came:
                came[move.state] = (here, move)
                coming.append(move.state)
    return []
