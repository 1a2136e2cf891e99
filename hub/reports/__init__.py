"""Figures of a month, their score, workbooks, and what is offered online."""
