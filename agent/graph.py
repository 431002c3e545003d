"""The review graph: prepare → consult ⇄ tools → decide → verify → enforce, with one repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.consult import consult, use_tools
from agent.decide import decide, verify_draft
from agent.enforce import enforce
from agent.prepare import prepare
from agent.state import Desk, ReviewState

Graph = CompiledStateGraph[ReviewState, None, ReviewState, ReviewState]
Node = Callable[[ReviewState, Desk], ReviewState]


class _BoundNode(Protocol):
    def __call__(self, state: ReviewState) -> ReviewState: ...


NODES: dict[str, Node] = {
    "prepare": prepare,
    "consult": consult,
    "tools": use_tools,
    "decide": decide,
    "verify": verify_draft,
    "enforce": enforce,
}


def build_graph(desk: Desk) -> Graph:
    """Return the graph of one review at this desk; it holds no state and may be shared by threads.

    Every path ends in `enforce`, so that whatever stops a review still becomes a verdict.
    """
    graph: StateGraph[ReviewState, None, ReviewState, ReviewState] = StateGraph(ReviewState)
    for name, node in NODES.items():
        graph.add_node(name, _bound(node, desk))
    graph.add_edge(START, "prepare")
    graph.add_conditional_edges("prepare", _unless_stopped("consult"), ["consult", "enforce"])
    graph.add_conditional_edges("consult", _after_consult, ["tools", "decide", "enforce"])
    graph.add_conditional_edges("tools", _unless_stopped("consult"), ["consult", "enforce"])
    graph.add_conditional_edges("decide", _unless_stopped("verify"), ["verify", "enforce"])
    graph.add_conditional_edges("verify", _after_verify, ["decide", "enforce"])
    graph.add_edge("enforce", END)
    return graph.compile()


def _bound(node: Node, desk: Desk) -> _BoundNode:
    def at_this_desk(state: ReviewState) -> ReviewState:
        return node(state, desk)

    return at_this_desk


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
