"""The questions of the tasks, from the Hugging Face hub or from files."""

from trigreason.evaluation.questions.gpqa import GpqaOrder
from trigreason.evaluation.questions.loading import is_from_hub, load_questions
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.tasks import TASKS, PublishedTask

__all__ = ["TASKS", "GpqaOrder", "PublishedTask", "Question", "is_from_hub", "load_questions"]
