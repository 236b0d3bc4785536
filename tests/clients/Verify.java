// Verifies with Java's PKIX code: of the JDK, or with BouncyCastle's provider in front of it.
//
//   Verify ROOT ISSUING CERT CRL...      prints "good" or "bad: REASON"; exit code 2 when it is bad
//   Verify cases jdk|bouncycastle        cases from standard input, see keys.bats; prints NAME, verdict and words, with tabs between
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.security.Provider;
import java.security.Security;
import java.security.cert.*;
import java.util.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class Verify {
    static Provider provider; // null: the JDK's own choice

    static CertificateFactory factory() throws Exception {
        return provider == null ? CertificateFactory.getInstance("X.509") : CertificateFactory.getInstance("X.509", provider);
    }

    static X509Certificate certificate(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return (X509Certificate) factory().generateCertificate(in);
        }
    }

    static Collection<? extends CRL> crls(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return factory().generateCRLs(in);
        }
    }

    static PKIXParameters parameters(X509Certificate root, List<CRL> known) throws Exception {
        PKIXParameters params = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        CollectionCertStoreParameters stored = new CollectionCertStoreParameters(known);
        params.addCertStore(provider == null ? CertStore.getInstance("Collection", stored) : CertStore.getInstance("Collection", stored, provider));
        params.setRevocationEnabled(provider != null && !known.isEmpty());
        return params;
    }

    // Without a CRL: signatures, names and times alone.
    static void validate(String root, List<String> path, List<CRL> known, boolean leafAlone) throws Exception {
        PKIXParameters params = parameters(certificate(root), known);
        CertPathValidator validator =
            provider == null ? CertPathValidator.getInstance("PKIX") : CertPathValidator.getInstance("PKIX", provider);
        if (provider == null && !known.isEmpty()) {
            PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
            Set<PKIXRevocationChecker.Option> options =
                EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK);
            if (leafAlone)
                options.add(PKIXRevocationChecker.Option.ONLY_END_ENTITY);
            checker.setOptions(options);
            params.addCertPathChecker(checker);
        }
        List<Certificate> chain = new ArrayList<>();
        for (String file : path)
            chain.add(certificate(file));
        validator.validate(factory().generateCertPath(chain), params);
    }

    static boolean saysRevoked(CertPathValidatorException e) {
        return e.getReason() == CertPathValidatorException.BasicReason.REVOKED || String.valueOf(e.getMessage()).contains("Certificate revocation after");
    }

    static void oneCase(String line) throws Exception {
        String[] f = line.split("\t");
        List<CRL> known = new ArrayList<>();
        for (int i = 4; i < f.length; i++)
            known.addAll(crls(f[i]));
        try {
            validate(f[1], f[2].equals("-") ? List.of(f[3]) : List.of(f[3], f[2]), known, false);
            System.out.println(f[0] + "\tgood\t");
        } catch (CertPathValidatorException e) {
            System.out.println(f[0] + (saysRevoked(e) ? "\trevoked\t" : "\tbad\t") + e.getMessage());
        } catch (CertificateException | CRLException e) { // it can't even be read
            System.out.println(f[0] + "\tbad\t" + e.getMessage());
        }
    }

    static void cases() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine())
            oneCase(line);
    }

    static void useBouncyCastle() {
        provider = new BouncyCastleProvider();
        Security.insertProviderAt(provider, 1);
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("cases")) {
            if (args[1].equals("bouncycastle"))
                useBouncyCastle();
            cases();
            return;
        }
        List<CRL> known = new ArrayList<>();
        for (int i = 3; i < args.length; i++)
            known.addAll(crls(args[i]));
        try {
            validate(args[0], List.of(args[2], args[1]), known, true);
            System.out.println("good");
        } catch (CertPathValidatorException e) {
            System.out.println("bad: " + e.getReason());
            System.exit(2);
        }
    }
}
