"""What the doctor says of signing in, by what GitHub answers to a code that nobody was given."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from previewbot.clients.github.people_answers import SignInRefused, Token
from previewbot.doctor.check import State, Whose
from previewbot.doctor.signing_in import OfSigningIn
from previewbot.errors import SettingsError, TryLater

ERROR, NOTE, OK = State.WRONG, State.NOTE, State.OK


@dataclass
class Answers:
    """GitHub, which answers every code alike."""

    answer: Exception | None
    asked: tuple[str, ...] = ()

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Token:
        self.asked = (code, verifier, redirect_uri)
        if self.answer is not None:
            raise self.answer
        return Token("ghu_x")


@pytest.mark.parametrize(
    ("answer", "state", "whose", "words"),
    [
        (SignInRefused("bad_verification_code"), OK, Whose.NOBODY, "knows the client id and its secret"),
        (SignInRefused("incorrect_client_credentials"), ERROR, Whose.PLATFORM_TEAM, "new client secret"),
        (SignInRefused("redirect_uri_mismatch"), ERROR, Whose.APP_OWNER, "add it to the App's callback"),
        (SignInRefused("application_suspended"), NOTE, Whose.NOBODY, "answers application_suspended"),
        (TryLater("POST x", message="GitHub cannot be reached"), ERROR, Whose.PLATFORM_TEAM, "reached"),
        (SettingsError(("it is empty",)), State.NOT_CHECKED, Whose.NOBODY, "the client secret"),
        (None, NOTE, Whose.NOBODY, "is this GitHub?"),
    ],
)
async def test_what_github_answers_says_whether_people_can_sign_in(
    answer: Exception | None, state: State, whose: Whose, words: str
) -> None:
    github = Answers(answer)
    [question] = OfSigningIn(github, "https://bot.example.com/", lambda url: (), "https://g").questions()

    (check,) = await question.ask()

    assert (check.state, check.whose) == (state, whose)
    assert words in check.words
    assert github.asked[2] == "https://bot.example.com/sign-in/done"
