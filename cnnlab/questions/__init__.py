"""What the course asks its readers: questions whose answers the network on the page gives."""

from cnnlab.questions import alexnet, batch_norm, densenet, googlenet, nin, resnet, vgg
from cnnlab.questions.question import Answer, Question
from cnnlab.questions.subject import Subject

__all__ = ["QUESTIONS", "Answer", "Question", "Subject", "of_section"]

_PAGES = (alexnet, vgg, nin, googlenet, batch_norm, resnet, densenet)
QUESTIONS: dict[str, Question] = {
    question.id: question for page in _PAGES for question in page.QUESTIONS
}


def of_section(slug: str) -> list[Question]:
    """The questions of a page, in the order in which it asks them."""
    return [question for question in QUESTIONS.values() if question.section == slug]
