// SM2 signatures in the eyes of another implementation, BouncyCastle: by the standard id, and by ids that must not do.
//
//   Sm2 csr FILE...             of each PKCS#10 request (DER) its own signature
//   Sm2 signed ISSUER FILE...   of each certificate (PEM or DER) or CRL (DER), by the key in ISSUER
//
// Prints FILE and for each id whether the signature holds, with tabs between: by 1234567812345678, by none, by another.
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.cert.*;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.util.PublicKeyFactory;

public class Sm2 {
    static final String[] ids = {"1234567812345678", "", "8765432187654321"};

    static String holds(SubjectPublicKeyInfo key, byte[] signed, byte[] signature) throws Exception {
        StringBuilder said = new StringBuilder();
        for (String id : ids) {
            SM2Signer verifier = new SM2Signer(); // its digest is SM3
            verifier.init(false, new ParametersWithID(PublicKeyFactory.createKey(key), id.getBytes(StandardCharsets.US_ASCII)));
            verifier.update(signed, 0, signed.length);
            said.append('\t').append(verifier.verifySignature(signature) ? "holds" : "does not hold");
        }
        return said.toString();
    }

    static Certificate certificate(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return Certificate.getInstance(CertificateFactory.getInstance("X.509", new org.bouncycastle.jce.provider.BouncyCastleProvider())
                                               .generateCertificate(in)
                                               .getEncoded());
        }
    }

    static String signed(SubjectPublicKeyInfo key, String path) throws Exception {
        if (path.endsWith(".crl")) {
            CertificateList crl = CertificateList.getInstance(Files.readAllBytes(Path.of(path)));
            return holds(key, crl.getTBSCertList().getEncoded("DER"), crl.getSignature().getOctets());
        }
        Certificate c = certificate(path);
        return holds(key, c.getTBSCertificate().getEncoded("DER"), c.getSignature().getOctets());
    }

    static String csr(String path) throws Exception {
        CertificationRequest r = CertificationRequest.getInstance(Files.readAllBytes(Path.of(path)));
        return holds(r.getCertificationRequestInfo().getSubjectPublicKeyInfo(), r.getCertificationRequestInfo().getEncoded("DER"),
            r.getSignature().getOctets());
    }

    public static void main(String[] args) throws Exception {
        boolean requests = args[0].equals("csr");
        SubjectPublicKeyInfo key = requests ? null : certificate(args[1]).getSubjectPublicKeyInfo();
        for (int i = requests ? 1 : 2; i < args.length; i++)
            System.out.println(args[i] + (requests ? csr(args[i]) : signed(key, args[i])));
    }
}
