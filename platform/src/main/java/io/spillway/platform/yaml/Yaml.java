package io.spillway.platform.yaml;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/// Binds YAML to records. The record component `memoryBus` is the key `memory_bus`; a key that no
/// component has, a missing key without [Default] or `Optional`, and a value of the wrong kind are
/// errors at their line and column.
///
/// Values bind to `String`, `int`, `long`, `double`, `boolean`, enums (any case, `-` or `_`),
/// records, `List`, `Map<String, T>`, `Optional`, sealed interfaces of records (the key `type`
/// names the record in kebab case) and any type with a static `parse(String)`, such as the units.
public final class Yaml {
  private static final int LARGEST_FILE = 16 << 20;

  private final String source;

  private Yaml(String source) {
    this.source = source;
  }

  /// Reads one document.
  ///
  /// **Errors:** missing file, malformed YAML, unknown or missing keys, values out of range: one
  /// line with file, line and column, [io.spillway.platform.ErrorCode#BAD_INPUT].
  public static <T> T read(Path file, Class<T> type) {
    try {
      if (Files.size(file) > LARGEST_FILE) {
        throw SpillwayException.badFile(
            file, "", "%d bytes, at most %d are read", Files.size(file), LARGEST_FILE);
      }
      return parse(Files.readString(file), type, file.toString());
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (java.nio.charset.MalformedInputException e) {
      throw SpillwayException.badFile(file, "", "not UTF-8 text");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Parses text that came from `source`, a name for error messages.
  public static <T> T parse(String text, Class<T> type, String source) {
    LoadSettings settings =
        LoadSettings.builder().setLabel(source).setMaxAliasesForCollections(50).build();
    try {
      Node root =
          new Compose(settings)
              .composeString(text)
              .orElseThrow(() -> SpillwayException.badInput("%s: the file is empty", source));
      return type.cast(new Yaml(source).bind(root, type, "the document"));
    } catch (MarkedYamlEngineException e) {
      String where =
          e.getProblemMark()
              .map(m -> ":" + (m.getLine() + 1) + ":" + (m.getColumn() + 1))
              .orElse("");
      throw SpillwayException.badInput("%s%s: %s", source, where, firstLine(e.getProblem()));
    } catch (YamlEngineException e) {
      throw SpillwayException.badInput("%s: %s", source, firstLine(e.getMessage()));
    }
  }

  private Object bind(Node node, Type type, String what) {
    if (type instanceof ParameterizedType generic) {
      return bindGeneric(node, generic, what);
    }
    Class<?> raw = (Class<?>) type;
    if (raw.isRecord() && node instanceof MappingNode mapping) {
      return bindRecord(mapping, raw, what);
    }
    if (raw.isSealed()) {
      return bindSealed(node, raw, what);
    }
    if (!(node instanceof ScalarNode scalar)) {
      throw at(node, "%s must be %s", what, describe(raw));
    }
    return bindScalar(scalar, raw, what);
  }

  private Object bindGeneric(Node node, ParameterizedType type, String what) {
    Class<?> raw = (Class<?>) type.getRawType();
    if (raw == Optional.class) {
      return isNull(node)
          ? Optional.empty()
          : Optional.of(bind(node, type.getActualTypeArguments()[0], what));
    }
    if (raw == List.class) {
      if (!(node instanceof SequenceNode sequence)) {
        throw at(node, "%s must be a list", what);
      }
      List<Object> list = new ArrayList<>();
      for (Node item : sequence.getValue()) {
        list.add(bind(item, type.getActualTypeArguments()[0], "an item of " + what));
      }
      return List.copyOf(list);
    }
    if (raw == Map.class) {
      Map<String, Object> map = new LinkedHashMap<>();
      for (NodeTuple tuple : mapping(node, what).getValue()) {
        String key = key(tuple);
        Object value =
            bind(tuple.getValueNode(), type.getActualTypeArguments()[1], "'" + key + "'");
        if (map.put(key, value) != null) {
          throw at(tuple.getKeyNode(), "key '%s' is given twice in %s", key, what);
        }
      }
      return java.util.Collections.unmodifiableMap(map);
    }
    throw new IllegalArgumentException("no YAML binding for " + type);
  }

  private Object bindRecord(MappingNode node, Class<?> type, String what) {
    return bindRecord(node, type, what, Optional.empty());
  }

  private Object bindRecord(
      MappingNode node, Class<?> type, String what, Optional<String> ignoredKey) {
    RecordComponent[] components = type.getRecordComponents();
    Map<String, NodeTuple> given = new LinkedHashMap<>();
    List<String> known = Arrays.stream(components).map(c -> snake(c.getName())).toList();
    for (NodeTuple tuple : node.getValue()) {
      String key = key(tuple);
      if (ignoredKey.filter(key::equals).isPresent()) {
        continue;
      }
      if (!known.contains(key)) {
        throw at(
            tuple.getKeyNode(), "unknown key '%s' in %s, %s", key, what, Nearest.hint(key, known));
      }
      if (given.put(key, tuple) != null) {
        throw at(tuple.getKeyNode(), "key '%s' is given twice in %s", key, what);
      }
    }
    Object[] values = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      String key = known.get(i);
      NodeTuple tuple = given.get(key);
      values[i] =
          tuple != null
              ? bind(tuple.getValueNode(), components[i].getGenericType(), "'" + key + "'")
              : defaultOf(components[i], key, node, what);
    }
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw at(node, "%s: %s", what, rootMessage(e));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot construct " + type, e);
    }
  }

  private Object defaultOf(RecordComponent component, String key, Node node, String what) {
    Default byDefault = component.getAnnotation(Default.class);
    if (byDefault != null) {
      Node value =
          new Compose(LoadSettings.builder().build())
              .composeString(byDefault.value())
              .orElseThrow();
      return bind(value, component.getGenericType(), "'" + key + "'");
    }
    if (component.getType() == Optional.class) {
      return Optional.empty();
    }
    throw at(node, "key '%s' is missing in %s", key, what);
  }

  private Object bindSealed(Node node, Class<?> type, String what) {
    Map<String, Class<?>> byName = new LinkedHashMap<>();
    for (Class<?> permitted : type.getPermittedSubclasses()) {
      byName.put(kebab(permitted.getSimpleName()), permitted);
    }
    // a bare word names a record whose components all have defaults
    if (node instanceof ScalarNode scalar) {
      Class<?> chosen = choose(scalar, scalar.getValue(), byName, what);
      return bindRecord(
          new MappingNode(Tag.MAP, List.of(), org.snakeyaml.engine.v2.common.FlowStyle.BLOCK) {
            @Override
            public Optional<Mark> getStartMark() {
              return scalar.getStartMark();
            }
          },
          chosen,
          what);
    }
    MappingNode mapping = mapping(node, what);
    for (NodeTuple tuple : mapping.getValue()) {
      if (key(tuple).equals("type")) {
        String name = String.valueOf(bind(tuple.getValueNode(), String.class, "'type'"));
        Class<?> chosen = choose(tuple.getValueNode(), name, byName, what);
        return bindRecord(mapping, chosen, what, Optional.of("type"));
      }
    }
    throw at(node, "key 'type' is missing in %s, one of %s", what, byName.keySet());
  }

  private Class<?> choose(Node node, String name, Map<String, Class<?>> byName, String what) {
    Class<?> chosen = byName.get(name);
    if (chosen == null) {
      throw at(
          node, "unknown type '%s' for %s, %s", name, what, Nearest.hint(name, byName.keySet()));
    }
    return chosen;
  }

  private Object bindScalar(ScalarNode node, Class<?> type, String what) {
    String text = node.getValue();
    if (isNull(node)) {
      throw at(node, "%s is empty, %s was expected", what, describe(type));
    }
    try {
      if (type == String.class) {
        return text;
      }
      if (type == int.class || type == Integer.class) {
        return Integer.decode(text.replace("_", ""));
      }
      if (type == long.class || type == Long.class) {
        return Long.decode(text.replace("_", ""));
      }
      if (type == double.class || type == Double.class) {
        double value = Double.parseDouble(text);
        if (!Double.isFinite(value)) {
          throw at(node, "%s is '%s', a finite number was expected", what, text);
        }
        return value;
      }
      if (type == boolean.class || type == Boolean.class) {
        return switch (text.toLowerCase(Locale.ROOT)) {
          case "true", "yes", "on" -> true;
          case "false", "no", "off" -> false;
          default -> throw at(node, "%s is '%s', true or false was expected", what, text);
        };
      }
      if (type.isEnum()) {
        return bindEnum(node, type, text, what);
      }
      Method parse = type.getMethod("parse", String.class);
      if (!Modifier.isStatic(parse.getModifiers())) {
        throw new IllegalArgumentException(type + ".parse is not static");
      }
      return parse.invoke(null, text);
    } catch (NumberFormatException e) {
      throw at(node, "%s is '%s', %s was expected", what, text, describe(type));
    } catch (InvocationTargetException e) {
      throw at(node, "%s: %s", what, rootMessage(e));
    } catch (NoSuchMethodException e) {
      throw at(node, "%s must be %s", what, describe(type));
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("cannot call " + type + ".parse", e);
    }
  }

  private Object bindEnum(ScalarNode node, Class<?> type, String text, String what) {
    String wanted = text.replace('-', '_').toUpperCase(Locale.ROOT);
    List<String> names = new ArrayList<>();
    for (Object constant : type.getEnumConstants()) {
      String name = ((Enum<?>) constant).name();
      if (name.equals(wanted)) {
        return constant;
      }
      names.add(name.toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    throw at(node, "%s is '%s', %s", what, text, Nearest.hint(text, names));
  }

  private MappingNode mapping(Node node, String what) {
    if (node instanceof MappingNode mapping) {
      return mapping;
    }
    throw at(node, "%s must be a block of keys", what);
  }

  private String key(NodeTuple tuple) {
    if (tuple.getKeyNode() instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw at(tuple.getKeyNode(), "a key must be a plain word");
  }

  private static boolean isNull(Node node) {
    return node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.NULL);
  }

  private SpillwayException at(Node node, String format, Object... arguments) {
    String where =
        node.getStartMark()
            .map(m -> ":" + (m.getLine() + 1) + ":" + (m.getColumn() + 1))
            .orElse("");
    return SpillwayException.badInput("%s%s: %s", source, where, String.format(format, arguments));
  }

  private static String describe(Class<?> type) {
    if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
      return "a whole number";
    }
    if (type == double.class || type == Double.class) {
      return "a finite number";
    }
    if (type.isRecord() && !hasParse(type)) {
      return "a block with the keys "
          + String.join(
              ", ",
              Arrays.stream(type.getRecordComponents()).map(c -> snake(c.getName())).toList());
    }
    return "a value of " + type.getSimpleName();
  }

  private static boolean hasParse(Class<?> type) {
    return Arrays.stream(type.getMethods()).anyMatch(m -> m.getName().equals("parse"));
  }

  private static String rootMessage(InvocationTargetException e) {
    @Nullable Throwable cause = e.getCause();
    return cause == null || cause.getMessage() == null ? String.valueOf(cause) : cause.getMessage();
  }

  private static String firstLine(@Nullable String text) {
    return text == null ? "malformed YAML" : text.lines().findFirst().orElse("malformed YAML");
  }

  /// `memoryBus` as `memory_bus`; digits stay with the word before them (`l1Data` is `l1_data`).
  static String snake(String camel) {
    return camel.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }

  static String kebab(String pascal) {
    return snake(pascal).replace('_', '-');
  }
}
