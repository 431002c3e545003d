"""LlamaIndex on top of our own model and store, and never on anybody else's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from chromadb.api.models.Collection import Collection
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.chroma import ChromaVectorStore

from retrieval.embedder import Embedder

_BATCH = 256


class LocalEmbedding(BaseEmbedding):
    """Our sentence model, as LlamaIndex wants to see it; without one it would ask OpenAI."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.name, embed_batch_size=_BATCH)
        self._embedder = embedder

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts).tolist()
        return vectors

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def add_nodes(collection: Collection, nodes: Sequence[BaseNode], embedder: Embedder) -> None:
    """Put `nodes` into `collection`, embedding those that have no vector yet."""
    storage = StorageContext.from_defaults(
        vector_store=ChromaVectorStore(chroma_collection=collection)
    )
    adapter = LocalEmbedding(embedder)
    VectorStoreIndex(nodes, storage_context=storage, embed_model=adapter, transformations=[adapter])


def nearest_nodes(collection: Collection, embedder: Embedder, *, limit: int) -> BaseRetriever:
    """Return a retriever of the `limit` nodes nearest in meaning."""
    # An index wants transformations, and would load a sentence splitter to have some.
    adapter = LocalEmbedding(embedder)
    index = VectorStoreIndex.from_vector_store(
        ChromaVectorStore(chroma_collection=collection),
        embed_model=adapter,
        transformations=[adapter],
    )
    return index.as_retriever(similarity_top_k=limit)


def matching_nodes(nodes: Sequence[BaseNode], *, limit: int) -> BaseRetriever | None:
    """Return a retriever of the `limit` nodes that share most words with a question.

    None if no node has a word at all, only emoji or stop words, say.
    """
    try:
        # The average length of no words is a division by zero.
        with np.errstate(invalid="ignore", divide="ignore"):
            return BM25Retriever(nodes=list(nodes), similarity_top_k=min(limit, len(nodes)))
    except ValueError:
        return None


def cosine(similarity: float | None) -> float:
    """Return the cosine behind a similarity of LlamaIndex's Chroma store: it is exp(cosine - 1)."""
    return 1 + float(np.log(similarity)) if similarity else -1.0
