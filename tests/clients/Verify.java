// Verifies a certificate with Java's own PKIX code: Verify ROOT ISSUING CERT CRL... Prints "good" or "bad: <reason>".
import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

public class Verify {
    static Collection<? extends Certificate> certificates(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
    }

    public static void main(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) certificates(args[0]).iterator().next();
        X509Certificate issuing = (X509Certificate) certificates(args[1]).iterator().next();
        X509Certificate leaf = (X509Certificate) certificates(args[2]).iterator().next();
        List<Object> stored = new ArrayList<>();
        for (int i = 3; i < args.length; i++)
            try (FileInputStream in = new FileInputStream(args[i])) {
                stored.addAll(factory.generateCRLs(in));
            }
        PKIXParameters params = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        params.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(stored)));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK,
            PKIXRevocationChecker.Option.ONLY_END_ENTITY));
        params.addCertPathChecker(checker);
        try {
            validator.validate(factory.generateCertPath(List.of(leaf, issuing)), params);
            System.out.println("good");
        } catch (CertPathValidatorException e) {
            System.out.println("bad: " + e.getReason());
            System.exit(2);
        }
    }
}
