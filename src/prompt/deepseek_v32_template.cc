#include "prompt/deepseek_v32_template.h"

namespace baleen {

// Messages, in order: what each adds. A user's turn opens the answer at once: `<think>` behind the last one where the
// model is to think, else `</think>`. Reasoning is kept behind the last user's turn only.
const std::string_view kDeepSeekV32Template = R"jinja(
{%- macro function_list(tools) -%}
{{ "## Tools\nYou have access to a set of tools you can use to answer the user's question.\n" }}
{{- 'You can invoke functions by writing a "<｜DSML｜function_calls>" block like the following as part of ' }}
{{- 'your reply to the user:\n' }}
{{- '<｜DSML｜function_calls>\n<｜DSML｜invoke name="$FUNCTION_NAME">\n' }}
{{- '<｜DSML｜parameter name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE</｜DSML｜parameter>\n...\n' }}
{{- '</｜DSML｜invoke>\n<｜DSML｜invoke name="$FUNCTION_NAME2">\n...\n</｜DSML｜invoke>\n</｜DSML｜function_calls>\n' }}
{{- 'String and scalar parameters should be specified as is without any escaping or quotes, while lists and ' }}
{{- 'objects should use JSON format. The "string" attribute should be set to "true" for string type parameters and ' }}
{{- '"false" for other types (numbers, booleans, arrays, objects).\n' }}
{{- 'If the thinking_mode is enabled, then after function results you should strongly consider outputting ' }}
{{- 'a thinking block. Here is an example:\n<｜DSML｜function_calls>\n...\n</｜DSML｜function_calls>\n' }}
{{- '<function_results>\n...\n</function_results>\n<think>...thinking about results</think>\n' }}
{{- 'Here are the functions available in JSONSchema format:\n<functions>\n' }}
{%- for tool in tools -%}{{ (tool.function or tool) | tojson ~ '\n' }}{%- endfor -%}
{{ '</functions>\n' }}
{%- endmacro -%}

{%- macro extras(tools, response_format) -%}
{%- if tools -%}{{ '\n\n' ~ function_list(tools) }}{%- endif -%}
{%- if response_format -%}
{{ '\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n' }}
{{- response_format | tojson }}
{%- endif -%}
{%- endmacro -%}

{%- macro arguments_of(call) -%}
{%- set given = call.arguments | fromjson if call.arguments is string else call.arguments -%}
{%- for name, value in given.items() -%}
{{ '\n' if not loop.first else '' }}
{{- '<｜DSML｜parameter name="' ~ name ~ '" string="' ~ ('true' if value is string else 'false') ~ '">' }}
{{- value if value is string else value | tojson }}{{ '</｜DSML｜parameter>' }}
{%- endfor -%}
{%- endmacro -%}

{%- if thinking_mode is not defined or not thinking_mode -%}
{%- set thinking_mode = 'thinking' if (thinking if thinking is defined else enable_thinking) else 'chat' -%}
{%- elif thinking_mode not in ['chat', 'thinking'] -%}
{{ raise_exception('thinking_mode must be chat or thinking') }}
{%- endif -%}
{%- set seen = namespace(last_user=-1, calls=-1, answered=0) -%}
{%- for message in messages -%}
{%- if message.role in ['user', 'developer'] -%}{%- set seen.last_user = loop.index0 -%}{%- endif -%}
{%- endfor -%}

{{ '<｜begin▁of▁sentence｜>' }}
{%- if tools and not (messages and messages[0].role == 'system') -%}{{ extras(tools, none) }}{%- endif -%}
{%- for message in messages -%}
{%- set opened = '<think>' if loop.index0 >= seen.last_user and thinking_mode == 'thinking' else '</think>' -%}
{%- if message.role == 'system' -%}
{{ message.content or '' }}{{ extras(message.tools or (tools if loop.first), message.response_format) }}
{%- elif message.role == 'developer' -%}
{%- if not message.content -%}{{ raise_exception('a developer message needs content') }}{%- endif -%}
{{ '<｜User｜>' ~ extras(message.tools, message.response_format) ~ "\n\n# The user's message is: " }}
{{- message.content }}{{ '<｜Assistant｜>' ~ opened }}
{%- elif message.role == 'user' -%}
{{ '<｜User｜>' }}{{ message.content }}{{ '<｜Assistant｜>' ~ opened }}
{%- elif message.role == 'tool' -%}
{%- if seen.calls < 0 -%}{{ raise_exception('a tool message must follow an assistant message') }}{%- endif -%}
{%- set seen.answered = seen.answered + 1 -%}
{%- if seen.answered > seen.calls -%}{{ raise_exception('No tool calls but found tool output') }}{%- endif -%}
{%- if seen.answered == 1 -%}{{ '\n\n<function_results>' }}{%- endif -%}
{{ '\n<result>' }}{{ message.content }}{{ '</result>' }}
{%- if seen.answered == seen.calls -%}{{ '\n</function_results>\n\n' ~ opened }}{%- endif -%}
{%- elif message.role == 'assistant' -%}
{%- if thinking_mode == 'thinking' and loop.index0 > seen.last_user -%}
{%- if not message.reasoning_content and not message.tool_calls -%}
{{ raise_exception('an assistant message behind the last user message needs reasoning_content or tool_calls') }}
{%- endif -%}
{{ message.reasoning_content or '' }}{{ '</think>' }}
{%- endif -%}
{{ message.content or '' }}
{%- if message.tool_calls -%}
{{ '\n\n<｜DSML｜function_calls>' }}
{%- for call in message.tool_calls -%}
{%- set call = call.function or call -%}
{{ '\n<｜DSML｜invoke name="' ~ call.name ~ '">\n' }}{{ arguments_of(call) }}{{ '\n</｜DSML｜invoke>' }}
{%- endfor -%}
{{ '\n</｜DSML｜function_calls>' }}
{%- endif -%}
{{ '<｜end▁of▁sentence｜>' }}
{%- else -%}
{{ raise_exception('Unknown role: ' ~ message.role) }}
{%- endif -%}
{%- if message.role != 'tool' -%}
{%- set seen.calls = (message.tool_calls or []) | length if message.role == 'assistant' else -1 -%}
{%- set seen.answered = 0 -%}
{%- endif -%}
{%- endfor -%}
)jinja";

}  // namespace baleen
