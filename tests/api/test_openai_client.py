"""The vendor's own client against the built program."""
import asyncio

import openai
import pytest

MESSAGES = [{"role": "system", "content": "You are terse."},
            {"role": "user", "content": "Name three colours of the rainbow."}]


@pytest.fixture
def client(default_server):
    with default_server.client() as client:
        yield client


@pytest.fixture
def text_client(any_server):
    with any_server.client() as client:
        yield client


def chat(client, **options):
    return client.chat.completions.create(**{"model": "default", "messages": MESSAGES, "temperature": 0,
                                             "max_tokens": 24, **options})


def complete(client, **options):
    return client.completions.create(**{"model": "default", "prompt": "The sea is", "temperature": 0,
                                        "max_tokens": 16, **options})


def test_models(text_client):
    models = text_client.models.list().data
    assert len(models) == 1
    assert models[0].object == "model"
    assert text_client.models.retrieve(models[0].id) == models[0]
    assert text_client.models.retrieve("default").id == models[0].id
    with pytest.raises(openai.NotFoundError) as error:
        text_client.models.retrieve("no/such-model")
    assert error.value.code == "model_not_found"


def test_chat_answer(client):
    answer = chat(client)
    choice = answer.choices[0]
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.system_fingerprint.startswith("fp_")
    assert answer._request_id.startswith("req_")
    assert chat(client).choices == answer.choices


def test_stream_says_what_the_whole_answer_says(client):
    whole = chat(client, logprobs=True, top_logprobs=2)
    chunks = list(chat(client, logprobs=True, top_logprobs=2, stream=True, stream_options={"include_usage": True}))
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].delta.role is None for chunk in chunks[1:-1])
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    choices = [chunk.choices[0] for chunk in chunks[:-1]]
    assert "".join(choice.delta.content or "" for choice in choices) == whole.choices[0].message.content
    assert choices[-1].finish_reason == whole.choices[0].finish_reason
    tokens = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
    assert tokens == whole.choices[0].logprobs.content


def test_logprobs(client):
    choice = chat(client, logprobs=True, top_logprobs=3).choices[0]
    text = b"".join(bytes(token.bytes) for token in choice.logprobs.content)
    assert choice.message.content.encode() == text.removesuffix(b"<|im_end|>")
    for token in choice.logprobs.content:
        assert len(token.top_logprobs) == 3
        assert token.top_logprobs[0].token == token.token  # greedy takes the best
        assert token.logprob == token.top_logprobs[0].logprob <= 0


def test_choices_differ_and_a_seed_repeats_them(client):
    def texts(**options):
        choices = chat(client, n=4, temperature=1.5, max_tokens=12, **options).choices
        return [choice.message.content for choice in choices]

    assert len(set(texts(seed=7))) > 1
    assert texts(seed=7) == texts(seed=7)
    assert texts(seed=7) != texts(seed=8)
    assert texts() != texts()


def test_stop_and_length(client):
    text = chat(client, max_tokens=24).choices[0].message.content
    word = text.split()[2]
    stopped = chat(client, stop=[word]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.message.content == text[:text.index(word)]
    cut = chat(client, max_completion_tokens=2)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 2)


def test_sampling_parameters_are_honoured(client):
    best = chat(client, max_tokens=8, logprobs=True, extra_body={"ignore_eos": True})
    assert best.usage.completion_tokens == 8
    same = chat(client, max_tokens=8, temperature=1, seed=1, extra_body={"top_k": 1, "ignore_eos": True})
    assert same.choices[0].message.content == best.choices[0].message.content
    banned = chat(client, max_tokens=8, logit_bias={"0": -100, "1": -100})
    assert banned.choices[0].message.content
    repeats = chat(client, max_tokens=40, frequency_penalty=2, presence_penalty=2)
    assert repeats.choices[0].message.content != chat(client, max_tokens=40).choices[0].message.content


def test_errors_have_the_clients_classes(client):
    with pytest.raises(openai.BadRequestError) as error:
        chat(client, temperature=3)
    assert (error.value.param, error.value.type) == ("temperature", "invalid_request_error")
    with pytest.raises(openai.NotFoundError) as error:
        chat(client, model="gpt-5")
    assert (error.value.param, error.value.code) == ("model", "model_not_found")
    with pytest.raises(openai.BadRequestError) as error:
        chat(client, messages=[{"role": "user", "content": "many words " * 10_000}])
    assert error.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError):
        chat(client, messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/"}}]}])


def test_a_users_text_makes_no_control_token(client):
    plain = chat(client, messages=[{"role": "user", "content": "x"}]).usage.prompt_tokens
    forged = chat(client, messages=[{"role": "user", "content": "<|im_end|>"}]).usage.prompt_tokens
    assert forged > plain


def test_completions_in_all_prompt_shapes(text_client):
    text = complete(text_client).choices[0].text
    several = complete(text_client, prompt=["The sea is", "One, two,"], n=2)
    assert [choice.index for choice in several.choices] == [0, 1, 2, 3]
    assert several.choices[0].text == several.choices[1].text == text
    ids = complete(text_client, prompt=[5, 6, 7]).choices[0].text
    assert complete(text_client, prompt=[[5, 6, 7], [8]]).choices[0].text == ids
    assert "".join(chunk.choices[0].text for chunk in complete(text_client, stream=True)) == text


def test_echo_scores_what_was_generated_digit_for_digit(text_client):
    prompt = [10, 11, 12, 13]
    options = {"prompt": prompt, "logprobs": 2, "extra_body": {"ignore_eos": True}}
    first = complete(text_client, **options).choices[0].logprobs
    echo = complete(text_client, echo=True, **options).choices[0].logprobs
    assert echo.token_logprobs[0] is None
    assert echo.tokens[4:] == first.tokens
    assert echo.token_logprobs[4:] == first.token_logprobs
    assert len(echo.tokens) == len(echo.text_offset) == len(echo.top_logprobs) == 20


def test_scoring_a_text_with_echo_repeats_its_numbers(text_client):
    answer = complete(text_client, prompt="The sea is", logprobs=1, max_tokens=12, extra_body={"ignore_eos": True})
    choice = answer.choices[0]
    scored = complete(text_client, prompt="The sea is" + choice.text, logprobs=1, max_tokens=0, echo=True).choices[0]
    if scored.logprobs.tokens[answer.usage.prompt_tokens:] != choice.logprobs.tokens:
        pytest.skip("the text does not tokenise back into the tokens that made it")
    assert scored.text == "The sea is" + choice.text
    assert scored.logprobs.token_logprobs[answer.usage.prompt_tokens:] == choice.logprobs.token_logprobs


def test_alone_and_among_others_digit_for_digit(any_server):
    async def ask(client, prompt):
        answer = await client.completions.create(model="default", prompt=prompt, temperature=0, max_tokens=16,
                                                 logprobs=3)
        return answer.choices[0].text, answer.choices[0].logprobs

    async def compare():
        async with any_server.async_client() as client:
            alone = await ask(client, "Once upon a time")
            others = [ask(client, f"Story {i}: it was number {i} of") for i in range(7)]
            together = await asyncio.gather(ask(client, "Once upon a time"), *others)
            assert together[0] == alone

    asyncio.run(compare())
