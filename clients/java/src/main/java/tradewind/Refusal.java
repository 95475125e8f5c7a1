package tradewind;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a refused call says for programs: a stable reason, facts, and the fields at fault. */
record Refusal(String code, String reason, Map<String, String> facts, Map<String, String> fields) {
    static Refusal of(StatusRuntimeException error) throws InvalidProtocolBufferException {
        String reason = "";
        Map<String, String> facts = new TreeMap<>();
        Map<String, String> fields = new TreeMap<>();
        for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
            if (detail.is(ErrorInfo.class)) {
                ErrorInfo info = detail.unpack(ErrorInfo.class);
                reason = info.getReason();
                facts.putAll(info.getMetadataMap());
            } else if (detail.is(BadRequest.class)) {
                for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
                    fields.put(violation.getField(), violation.getDescription());
                }
            }
        }
        return new Refusal(error.getStatus().getCode().name(), reason, facts, fields);
    }

    /** Makes a call that has to be refused for that reason. */
    static void expect(String reason, Runnable call) throws InvalidProtocolBufferException {
        try {
            call.run();
        } catch (StatusRuntimeException error) {
            Refusal refusal = of(error);
            Main.say("refused", refusal);
            if (!refusal.reason.equals(reason)) {
                throw new IllegalStateException("that was to be refused as " + reason, error);
            }
            return;
        }
        throw new IllegalStateException("that was to be refused as " + reason + ", and was not");
    }

    @Override
    public String toString() {
        String told = Stream.concat(
                        fields.entrySet().stream().map(field -> field.getKey() + ": " + field.getValue()),
                        facts.entrySet().stream().map(fact -> fact.getKey() + "=" + fact.getValue()))
                .collect(Collectors.joining("; "));
        return "%s %s (%s)".formatted(code, reason, told);
    }
}
