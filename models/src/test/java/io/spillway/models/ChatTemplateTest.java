package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.models.ChatTemplate.Message;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
  @TempDir Path folder;

  private ChatTemplate template(String jinja) throws Exception {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        Json.write(Map.of("chat_template", jinja, "bos_token", "<s>", "eos_token", "</s>")));
    return ChatTemplate.open(folder);
  }

  private static final List<Message> TALK =
      List.of(
          new Message("system", "Be short."),
          new Message("user", " What is 1 + 1? "),
          new Message("assistant", "2"),
          new Message("user", "And \"3\" < 4?"));

  @Test
  void laysOutLikeLlama3() throws Exception {
    String text =
        template(
                "{% for message in messages %}{% set content = '<|start|>' + message['role'] +"
                    + " '<|stop|>\n\n' + message['content'] | trim + '<|eot|>' %}{% if loop.index0"
                    + " == 0 %}{% set content = bos_token + content %}{% endif %}{{ content"
                    + " }}{% endfor %}{% if add_generation_prompt %}{{"
                    + " '<|start|>assistant<|stop|>\n\n' }}{% endif %}")
            .render(TALK, true);

    assertThat(text)
        .isEqualTo(
            "<s><|start|>system<|stop|>\n\nBe short.<|eot|><|start|>user<|stop|>\n\nWhat is 1 +"
                + " 1?<|eot|><|start|>assistant<|stop|>\n\n2<|eot|><|start|>user<|stop|>\n\nAnd"
                + " \"3\" < 4?<|eot|><|start|>assistant<|stop|>\n\n");
  }

  @Test
  void laysOutLikeQwen() throws Exception {
    String text =
        template(
                "{%- if messages[0]['role'] == 'system' %}\n"
                    + "    {{- '<|im_start|>system\\n' + messages[0]['content'] +"
                    + " '<|im_end|>\\n' }}\n"
                    + "{%- endif %}\n"
                    + "{%- for message in messages %}\n"
                    + "    {%- if (message.role == \"user\") or (message.role == \"assistant\")"
                    + " %}\n"
                    + "        {{- '<|im_start|>' + message.role + '\\n' + message.content +"
                    + " '<|im_end|>' + '\\n' }}\n"
                    + "    {%- endif %}\n"
                    + "{%- endfor %}\n"
                    + "{%- if add_generation_prompt %}\n"
                    + "    {{- '<|im_start|>assistant\\n' }}\n"
                    + "{%- endif %}\n")
            .render(TALK, true);

    assertThat(text)
        .isEqualTo(
            "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n What is 1 + 1? "
                + "<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n<|im_start|>user\nAnd \"3\" <"
                + " 4?<|im_end|>\n<|im_start|>assistant\n");
  }

  @Test
  void loopsWithoutEndAreRefused() throws Exception {
    String nested = "{% for i in range(1000) %}";
    String end = "{% endfor %}";
    ChatTemplate called =
        template(
            "{% macro m() %}"
                + nested
                + "{{ '' }}"
                + end
                + "{% endmacro %}"
                + nested.repeat(3)
                + "{{ m() }}"
                + end.repeat(3));
    assertThatThrownBy(() -> called.render(TALK, true))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("2,000,000 steps or takes longer than 20 s for 4 messages");
  }

  @Test
  void aValueThatDoublesIsBounded() throws Exception {
    ChatTemplate doubling =
        template(
            "{% set ns = namespace(x='0123456789') %}{% for i in range(60) %}"
                + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x | length }}");
    assertThatThrownBy(() -> doubling.render(TALK, true)).isInstanceOf(SpillwayException.class);
  }

  @Test
  void tellsWhatIsMissingOrBroken() throws Exception {
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("has no chat template");
    ChatTemplate broken = template("{% for m in messages %}{{ m.content }");
    assertThatThrownBy(() -> broken.render(TALK, true))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("cannot lay these messages out");
  }
}
