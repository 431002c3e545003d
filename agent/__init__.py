"""The reviewer: from a case to a verdict whose grounds were checked."""
