"""The review graph: prepare → consult ⇄ tools → decide → verify → enforce, with one repair."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent.case import Case
from agent.consult import consult, use_tools
from agent.decide import decide, verify_draft
from agent.enforce import enforce
from agent.prepare import prepare
from agent.state import Desk, ReviewState
from agent.verdict import Verdict

Graph = CompiledStateGraph[ReviewState, Desk, ReviewState, ReviewState]
Node = Callable[[ReviewState, Desk], ReviewState]

NODES: dict[str, Node] = {
    "prepare": prepare,
    "consult": consult,
    "tools": use_tools,
    "decide": decide,
    "verify": verify_draft,
    "enforce": enforce,
}


class _NodeAtDesk(Protocol):
    def __call__(self, state: ReviewState, runtime: Runtime[Desk]) -> ReviewState: ...


def judge(case: Case, desk: Desk) -> Verdict:
    """Run one review to its end: whatever happens on the way, it ends in a verdict."""
    start: ReviewState = {"case": case.model_dump(mode="json")}
    return Verdict.model_validate(review_graph().invoke(start, context=desk)["verdict"])


@lru_cache(maxsize=1)
def review_graph() -> Graph:
    """Return the graph. It holds no state and is shared by threads; the desk comes with each run.

    Every path ends in `enforce`, so that whatever stops a review still becomes a verdict.
    """
    graph: StateGraph[ReviewState, Desk, ReviewState, ReviewState] = StateGraph(
        ReviewState, context_schema=Desk
    )
    for name, node in NODES.items():
        graph.add_node(name, _at_desk(node))
    graph.add_edge(START, "prepare")
    graph.add_conditional_edges("prepare", _unless_stopped("consult"), ["consult", "enforce"])
    graph.add_conditional_edges("consult", _after_consult, ["tools", "decide", "enforce"])
    graph.add_conditional_edges("tools", _unless_stopped("consult"), ["consult", "enforce"])
    graph.add_conditional_edges("decide", _unless_stopped("verify"), ["verify", "enforce"])
    graph.add_conditional_edges("verify", _after_verify, ["decide", "enforce"])
    graph.add_edge("enforce", END)
    return graph.compile()


def _at_desk(node: Node) -> _NodeAtDesk:
    def at_desk(state: ReviewState, runtime: Runtime[Desk]) -> ReviewState:
        return node(state, runtime.context)

    return at_desk


def _unless_stopped(following: str) -> Callable[[ReviewState], str]:
    def route(state: ReviewState) -> str:
        return "enforce" if state["stopped"] else following

    return route


def _after_consult(state: ReviewState) -> str:
    if state["stopped"]:
        return "enforce"
    return "tools" if state["calls"] else "decide"


def _after_verify(state: ReviewState) -> str:
    return "decide" if state["faults"] and not state["stopped"] else "enforce"
