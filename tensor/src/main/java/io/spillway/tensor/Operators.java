package io.spillway.tensor;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;

/// Calls operators of libtorch that the preset gives no method for, through libtorch's dispatcher.
///
/// A call costs a few microseconds more than a method of the preset.
public final class Operators {
  private static final Map<String, OperatorHandle> HANDLES = new ConcurrentHashMap<>();

  private Operators() {}

  /// Runs `aten::name` and hands back its first `results` outputs, which must be tensors; they
  /// belong to the innermost [TensorScope].
  ///
  /// @param arguments all of the operator's arguments in order: tensors, [Double], [Boolean],
  ///   [Long], or an empty [IValue] for none **Errors:** an unknown name or wrong arguments, as
  ///   libtorch tells them.
  public static List<Tensor> call(String name, int results, Object... arguments) {
    IValueVector stack = new IValueVector();
    for (Object argument : arguments) {
      stack.push_back(value(argument));
    }
    HANDLES.computeIfAbsent(name, Operators::find).callBoxed(stack);
    return IntStream.range(0, results).mapToObj(i -> stack.get(i).toTensor()).toList();
  }

  private static OperatorHandle find(String name) {
    Torch.load();
    OperatorHandle handle = Dispatcher.singleton().findSchemaOrThrow("aten::" + name, "");
    handle.retainReference(); // lives as long as the process, whatever scope is open now
    return handle;
  }

  private static IValue value(Object argument) {
    return switch (argument) {
      case IValue value -> value;
      case Tensor tensor -> new IValue(tensor);
      case Double number -> new IValue(number.doubleValue());
      case Boolean flag -> new IValue(flag.booleanValue());
      case Long number -> new IValue(number.longValue());
      default -> throw new IllegalArgumentException("no operator argument: " + argument.getClass());
    };
  }

  /// The absent value of an optional argument.
  public static IValue none() {
    return new IValue();
  }
}
